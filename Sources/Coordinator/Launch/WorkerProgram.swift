import Foundation
import Sharding

/// Where the program `shard-worker` is, and what a worker is told on its command line.
package enum WorkerProgram {
    package static let name = "shard-worker"

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

    /// - Parameters:
    ///   - control: where the coordinator listens.
    ///   - threads: what the worker gets where its settings say nothing.
    ///   - modelFolders: where it looks for files when its settings name no folder.
    package static func arguments(
        for worker: WorkerSettings, control: String, threads: Int, modelFolders: [String], logLevel: String,
        isVerifying: Bool = false
    ) -> [String] {
        var arguments = [
            "--coordinator", control, "--name", worker.name, "--device", worker.device,
            "--threads", "\(worker.threads ?? threads)", "--log-level", logLevel, "--launched",
        ]
        if isVerifying { arguments.append("--verify") }
        if let cpus = worker.cpus, !cpus.isEmpty {
            arguments += ["--cpus", cpus.map(String.init).joined(separator: ",")]
        }
        if let bytes = worker.memoryBytes { arguments += ["--memory", "\(bytes)"] }
        if let bind = worker.bind { arguments += ["--bind", bind.endpoint] }
        if let advertise = worker.advertise { arguments += ["--advertise", advertise.endpoint] }
        for folder in worker.modelFolders.isEmpty ? modelFolders : worker.modelFolders {
            arguments += ["--models", folder]
        }
        return arguments
    }
}
