import Foundation
import ShardKit
import Sharding
import Synchronization
import Testing

@testable import Coordinator

@Suite("Worker processes that come late, die, or cannot load", .serialized, .timeLimit(.minutes(5)))
struct FaultTests {
    @Test("a killed worker gives an error that names it, and the next request after its return succeeds")
    func killed() async throws {
        let options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        try await RunningCluster.with(Paths.demo, options) { cluster in
            let golden = try Golden.load()
            let victim = try #require(await cluster.service.status.workers.last?.processID)
            let stream = try await cluster.engine.generate(TokenRequest(prompt: [1, 2, 3], maxTokens: 400))
            var count = 0
            let error = await #expect(throws: EngineError.self) {
                for try await _ in stream {
                    count += 1
                    if count == 3 { kill(victim, SIGKILL) }
                }
            }
            // Its neighbour may notice before the process's end is known.
            let message = try #require(error?.message)
            #expect(message.contains("worker b"), "\(message)")
            try #require(await cluster.waitUntilReady())
            #expect(await cluster.service.status.workers.last?.processID != victim)
            let tokens = try await RunningCluster.tokens(cluster.engine, golden.request(golden.cases[0]))
            #expect(tokens == golden.cases[0].outputIDs)
        }
    }

    @Test("workers that were started before their coordinator join it when it comes, and again when it comes back")
    func workersFirst() async throws {
        let port = try freePort()
        let path = try Paths.program(WorkerProgram.name).path
        var workers = RunningCluster.workers(["a", "b"])
        for index in workers.indices { workers[index].start = .external }
        let (lines, continuation) = AsyncStream<String>.makeStream()
        let launcher = WorkerLauncher(
            programs: workers.map { worker in
                // Not `--launched`: they wait for the next coordinator.
                WorkerLauncher.Program(
                    worker: worker.name, path: path,
                    arguments: [
                        "--coordinator", "tcp://127.0.0.1:\(port)", "--name", worker.name, "--threads", "1",
                        "--models", Paths.demoFolder.path,
                    ])
            }, print: { worker, line in if line.contains("waiting for the coordinator") { continuation.yield(worker) } }
        )
        launcher.startAll()
        var waiting: Set<String> = []
        for await worker in lines {
            waiting.insert(worker)
            if waiting.count == 2 { break }
        }
        var options = RunningCluster.options(workers: workers)
        options.control = .init(host: "127.0.0.1", port: UInt16(port))
        let golden = try Golden.load()
        for _ in 0..<2 {
            let cluster = try await RunningCluster.startAgain(Paths.demo, options)
            async let end: Void = cluster.run()
            #expect(await cluster.waitUntilReady())
            let tokens = try await RunningCluster.tokens(cluster.engine, golden.request(golden.cases[1]))
            #expect(tokens == golden.cases[1].outputIDs)
            await cluster.stop()
            try await end
        }
        let processIDs = Array(launcher.processIDs.values)
        #expect(processIDs.count == 2 && processIDs.allSatisfy(Paths.isRunning))
        await launcher.stopAll()
        #expect(!processIDs.contains(where: Paths.isRunning))
    }

    @Test("a worker that gets a shard with the wrong hash refuses it by name")
    func wrongHash() async throws {
        try await Paths.withFolder { folder in
            let shards = folder.appending(path: "shards")
            try await splitModel(at: Paths.demo, shards: 2, into: shards)
            let file = shards.appending(path: "shard_001.gguf")
            // Same length, same header: one byte of a weight differs.
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count - 100] ^= 1
            try bytes.write(to: file)
            let options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
            let cluster = try await RunningCluster.start(shards, options)
            let error = await #expect(throws: CoordinatorError.self) { try await cluster.run() }
            #expect(error?.message.contains("worker b: shard_001.gguf") == true)
            #expect(error?.message.contains("sha256") == true)
            #expect(cluster.launcher?.processIDs.isEmpty == true)
        }
    }

    @Test("a worker that ends at once is started again a few times, and then given up with its status")
    func crashLoop() async throws {
        var options = RunningCluster.options(workers: RunningCluster.workers(["a"]))
        options.workerProgram = "/bin/false"
        options.retries.first = .milliseconds(1)
        let cluster = try await RunningCluster.start(Paths.demo, options)
        let error = await #expect(throws: CoordinatorError.self) { try await cluster.run() }
        #expect(error?.message.contains("worker a ended 5 times in a row: exit status 1") == true)
    }

    /// A port that was free a moment ago.
    private func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) | getsockname(descriptor, $0, &size)
            }
        }
        try #require(code == 0)
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
