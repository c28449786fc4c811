import Foundation
import Sharding
import ZeroMQ

/// A `shard-worker` that is to be started: where the program is, and what it is told.
package struct WorkerProgram: Sendable {
    package static let name = "shard-worker"

    let worker: WorkerSettings
    /// Where it finds the coordinator.
    var coordinator: Endpoint
    var logLevel: String
    var logsJSON = false
    /// What it gets where its settings say nothing.
    var bind: Endpoint?
    var modelFolders: [String] = []
    var isVerifying = false
    /// Its own, and whom it trusts; nil: connections are in clear.
    var keys: CurveKeyPair?
    var coordinatorKey: CurvePublicKey?

    init(worker: WorkerSettings, coordinator: Endpoint, logLevel: String) {
        self.worker = worker
        self.coordinator = coordinator
        self.logLevel = logLevel
    }

    /// The path that was given, else the program beside this one, else the first in PATH.
    package static func locate(
        _ given: String? = nil, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CoordinatorError) -> String {
        if let given {
            guard isExecutable(given) else {
                throw CoordinatorError(.configuration, "\(given): expected an executable \(name), found none")
            }
            return given
        }
        if let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            let beside = (own as NSString).deletingLastPathComponent + "/" + name
            if isExecutable(beside) { return beside }
        }
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            let path = "\(folder)/\(name)"
            if isExecutable(path) { return path }
        }
        throw CoordinatorError(
            .configuration,
            "\(name): expected it beside this program or in PATH, found neither; give its path with --worker")
    }

    private static func isExecutable(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
            && FileManager.default.isExecutableFile(atPath: path)
    }

    /// As a process of this machine, which ends when this one does.
    func here(at path: String) -> WorkerLauncher.Program {
        WorkerLauncher.Program(
            worker: worker.name, path: path, arguments: arguments + ["--launched"], input: input)
    }

    /// As a process of another machine, started by the system's ssh with the user's configuration and agent. It asks
    /// nothing, as nobody is there to answer. The process outlives a session that breaks.
    func overSSH() -> WorkerLauncher.Program? {
        guard let target = worker.ssh else { return nil }
        let command = ([worker.program ?? Self.name] + arguments + ["--remote"]).map(Self.quoted)
        return WorkerLauncher.Program(
            worker: worker.name, path: "ssh",
            arguments: Self.sshOptions + ["-T", target, "--", command.joined(separator: " ")], input: input,
            isRemote: true)
    }

    static let sshOptions = [
        "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
    ]

    /// As one word of any common shell.
    static func quoted(_ word: String) -> String {
        "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }

    /// Keys go where neither arguments nor files show them.
    private var input: String? { keys.map { KeyFile.text(of: $0) + "\n" } }

    var arguments: [String] {
        var arguments = [
            "--coordinator", coordinator.description, "--name", worker.name, "--device", worker.device,
            "--log-level", logLevel,
        ]
        if logsJSON { arguments += ["--log-format", "json"] }
        if let threads = worker.threads { arguments += ["--threads", "\(threads)"] }
        if isVerifying { arguments.append("--verify") }
        if let cpus = worker.cpus, !cpus.isEmpty {
            arguments += ["--cpus", cpus.map(String.init).joined(separator: ",")]
        }
        if let bytes = worker.memoryBytes { arguments += ["--memory", "\(bytes)"] }
        if worker.mode != .simple { arguments += ["--mode", worker.mode.rawValue] }
        if let folder = worker.packedCache { arguments += ["--packed-cache", folder] }
        if let bind = worker.bind?.endpoint ?? bind?.description { arguments += ["--bind", bind] }
        if let advertise = worker.advertise { arguments += ["--advertise", advertise.endpoint] }
        for folder in worker.modelFolders.isEmpty ? modelFolders : worker.modelFolders {
            arguments += ["--models", folder]
        }
        if let cache = worker.cacheFolder { arguments += ["--cache", cache] }
        if let coordinatorKey, keys != nil {
            arguments += ["--key", "-", "--coordinator-key", coordinatorKey.description]
        }
        return arguments
    }
}
