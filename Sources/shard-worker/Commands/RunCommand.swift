import ArgumentParser
import Foundation
import Logging
import Sharding
import Terminal
import Worker

/// What the program does without a subcommand: join, load, compute, until it is asked to leave.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Join a coordinator and compute. The default.",
        discussion: "shard-worker --help says more.")

    @Option(help: ArgumentHelp("Where the coordinator listens for workers.", valueName: "tcp://host:port"))
    var coordinator: String

    @Option(help: "What to compute on: cpu.")
    var device = "cpu"

    @Option(help: "The name that cluster.yaml lists; by default the machine's with the device's.")
    var name: String?

    @Option(help: "Threads that compute; by default one for each core that it may use.")
    var threads: Int?

    @Option(help: ArgumentHelp("Cores to pin the threads to: 0,1 or 0-3.", valueName: "list"))
    var cpus: String?

    @Option(
        help: ArgumentHelp(
            "This worker's key file, which keygen makes; needed beyond loopback. - reads it from standard input.",
            valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "The coordinator's public key, or a file with it: the one coordinator that this worker obeys.",
            valueName: "key"))
    var coordinatorKey: String?

    @Option(
        help: ArgumentHelp(
            "Where to listen for steps; port 0 takes a free one. By default the address by which this machine reaches "
                + "the coordinator.", valueName: "tcp://host:port"))
    var bind: String?

    @Option(help: ArgumentHelp("How others reach --bind, where that differs.", valueName: "tcp://host:port"))
    var advertise: String?

    @Option(
        help: ArgumentHelp("A folder with model files or with folders of them; may be repeated.", valueName: "folder"))
    var models: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where layers that come over the wire are kept for the next start; by default ~/.cache/shard.",
            valueName: "folder"))
    var cache: String?

    @Option(
        help: ArgumentHelp("What the cache may take; by default half of the disk's free space.", valueName: "bytes"))
    var cacheSize: Int?

    @Option(help: ArgumentHelp("Bytes of memory to take at most; by default all that is free.", valueName: "bytes"))
    var memory: Int?

    @Option(
        help: ArgumentHelp(
            "How weights are held: simple, or memory-efficient (within --memory; what does not fit is read from disk). The "
                + "coordinator's file decides; this measures the disk for its plan.", valueName: "mode"))
    var mode: String = ResidencyMode.simple.rawValue

    @Option(
        help: ArgumentHelp(
            "Where to keep copies of weights that are read from disk in the layout that is computed with.",
            valueName: "folder"))
    var packedCache: String?

    @Flag(help: "Compare the hashes of all files anew, those too that were found right before.")
    var verify = false

    @Flag(help: ArgumentHelp("End with the coordinator, or when standard input closes.", visibility: .hidden))
    var launched = false

    @Flag(help: ArgumentHelp("End with the coordinator, or when it stays away for a minute.", visibility: .hidden))
    var remote = false

    @OptionGroup var options: ProgramOptions

    func run() async throws {
        options.startLogging()
        let configuration = try workerConfiguration()
        var logger = Logger(label: "shard-worker")
        logger[metadataKey: "worker"] = "\(configuration.name)"
        let worker: Worker
        do throws(WorkerError) {
            worker = try Worker(configuration, logger: logger)
        } catch {
            throw Self.programError(error)
        }
        let signals = Task {
            for await number in Signals.stream(SIGTERM, SIGINT) {
                worker.leave(number == SIGTERM ? "SIGTERM" : "SIGINT")
            }
        }
        defer { signals.cancel() }
        if launched { LauncherWatch.onEnd { worker.leave("its launcher has gone") } }
        switch await worker.outcome() {
        case .left(let reason): logger.notice("leaving: \(reason)")
        case .failed(let error): throw Self.programError(error)
        }
    }

    private func workerConfiguration() throws -> WorkerConfiguration {
        if let memory, memory <= 0 {
            throw ProgramError(.configuration, "--memory: expected a positive number of bytes, got \(memory)")
        }
        guard let residency = ResidencyMode(rawValue: mode) else {
            let known = ResidencyMode.allCases.map(\.rawValue).joined(separator: " or ")
            throw ProgramError(.configuration, "--mode: expected \(known), got \(mode)")
        }
        do throws(WorkerError) {
            let pinned = try cpus.map { text throws(WorkerError) in try WorkerConfiguration.cpuList(text) }
            return try WorkerConfiguration(
                name: name ?? WorkerConfiguration.defaultName(device: device), coordinator: coordinator,
                security: try security(), bind: bind, advertise: advertise, device: device, threads: threads,
                cpus: pinned ?? [], modelFolders: models.isEmpty ? ["."] : models, cacheFolder: try cacheFolder(),
                cacheBytesMax: cacheSize, memoryBytesMax: memory,
                residency: residency, packedCache: packedCache,
                ending: launched ? .withLauncher : remote ? .withCoordinator : .byItself,
                isVerifying: verify)
        } catch {
            throw Self.programError(error)
        }
    }

    /// A worker that launch starts beside it has the files.
    private func cacheFolder() throws(WorkerError) -> String? {
        if let cache { return cache }
        guard !launched else { return nil }
        guard let folder = FileHashCache.cacheFolder(environment: ProcessInfo.processInfo.environment) else {
            throw WorkerError(.configuration, place: "--cache", "expected a folder, as there is no HOME, got none")
        }
        return folder
    }

    /// nil where neither key is given: then everything stays on loopback.
    private func security() throws(WorkerError) -> WorkerSecurity? {
        guard key != nil || coordinatorKey != nil else { return nil }
        guard let key, let coordinatorKey else {
            throw WorkerError(
                .configuration, place: key == nil ? "--key" : "--coordinator-key",
                "expected it beside \(key == nil ? "--coordinator-key" : "--key"), got none; one says who this worker is, the "
                    + "other whom it obeys")
        }
        do {
            let keys =
                key == "-" ? try KeyFile.parse(Self.firstLines(), place: "standard input") : try KeyFile.load(key)
            return WorkerSecurity(keys: keys, coordinator: try PublicKeyText.parse(coordinatorKey))
        } catch {
            throw WorkerError(.configuration, place: "keys", "\(error)")
        }
    }

    /// What a launcher sends first, up to an empty line; byte by byte, so that nothing of what follows is taken.
    private static func firstLines() -> String {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count < KeyFile.bytesMax, !bytes.suffix(2).elementsEqual([10, 10]) {
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func programError(_ error: WorkerError) -> ProgramError {
        switch error.code {
        case .configuration, .refused: ProgramError(.configuration, error.description)
        case .failed: ProgramError(.failedWhileRunning, error.description)
        }
    }
}
