import ArgumentParser
import Foundation
import Logging
import Sharding
import Terminal
import Worker

@main
struct ShardWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard-worker",
        abstract: "Computes a model's layers for a coordinator.",
        discussion: """
            One process a device. Start it before or after its coordinator: it waits, and joins again when the \
            coordinator comes back. It looks for the model's files by their names in the --models folders.

            Examples:
              shard-worker --coordinator tcp://127.0.0.1:5555 --name a --threads 2 --models Models/demo
              shard-worker --coordinator tcp://127.0.0.1:5555 --device cpu --models shards --models ~/models

            Exit codes: 0 it left as it was asked to, 1 it failed while running, 2 its configuration is wrong or the \
            coordinator refused it, 64 wrong usage.
            """,
        version: ShardVersion.current)

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

    @Option(help: ArgumentHelp("Where to listen for steps; port 0 takes a free one.", valueName: "tcp://host:port"))
    var bind = "tcp://127.0.0.1:0"

    @Option(help: ArgumentHelp("How others reach --bind, where that differs.", valueName: "tcp://host:port"))
    var advertise: String?

    @Option(
        help: ArgumentHelp("A folder with model files or with folders of them; may be repeated.", valueName: "folder"))
    var models: [String] = []

    @Option(help: ArgumentHelp("Bytes of memory to take at most; by default all that is free.", valueName: "bytes"))
    var memory: Int?

    @Flag(help: "Compare the hashes of all files anew, those too that were found right before.")
    var verify = false

    @Flag(help: ArgumentHelp("End with the coordinator, or when standard input closes.", visibility: .hidden))
    var launched = false

    @OptionGroup var options: ProgramOptions

    static func main() async { await Program.main(Self.self) }

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
        do throws(WorkerError) {
            let pinned = try cpus.map { text throws(WorkerError) in try WorkerConfiguration.cpuList(text) }
            return try WorkerConfiguration(
                name: name ?? WorkerConfiguration.defaultName(device: device), coordinator: coordinator, bind: bind,
                advertise: advertise, device: device, threads: threads, cpus: pinned ?? [],
                modelFolders: models.isEmpty ? ["."] : models, memoryBytesMax: memory, endsWithCoordinator: launched,
                isVerifying: verify)
        } catch {
            throw Self.programError(error)
        }
    }

    private static func programError(_ error: WorkerError) -> ProgramError {
        switch error.code {
        case .configuration, .refused: ProgramError(.configuration, error.description)
        case .failed: ProgramError(.failedWhileRunning, error.description)
        }
    }
}
