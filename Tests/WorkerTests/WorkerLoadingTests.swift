import Foundation
import Inference
import Logging
import ModelFiles
import Models
import Sharding
import Testing
import ZeroMQ

@testable import Worker

@Suite("Worker loading and joining", .serialized, .timeLimit(.minutes(2)))
struct WorkerLoadingTests {
    static func failure(
        _ coordinator: ScriptedCoordinator, _ order: LoadOrder, folders: [String] = [Fixtures.llamaFolder]
    ) async throws -> LoadFailure? {
        let worker = try coordinator.makeWorker(folders: folders)
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.send(.load(order))
        let report = try coordinator.next()
        worker.leave("done")
        _ = await worker.outcome()
        guard case .loadFailed(let failure) = report else { return nil }
        return failure
    }

    @Test("a file with another hash is refused by its name, with both hashes")
    func wrongHash() async throws {
        let coordinator = try ScriptedCoordinator()
        let order = try coordinator.load(epoch: Epoch(1), sha256: [UInt8](repeating: 0xAB, count: 32))
        let failure = try await Self.failure(coordinator, order)
        #expect(failure?.reason == .hashMismatch)
        let expected = "\(Fixtures.llamaFile): sha256: expected \(String(repeating: "ab", count: 32)), got "
        #expect(failure?.message.hasPrefix(expected) == true)
    }

    @Test("a file with the right hash loads")
    func rightHash() async throws {
        let coordinator = try ScriptedCoordinator()
        let path = Fixtures.llamaFolder + "/" + Fixtures.llamaFile
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let hash = bytes.withUnsafeBytes { FileHash(of: $0) }
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(try coordinator.load(epoch: Epoch(1), sha256: hash.bytes))
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test("a Hugging Face folder is found by its name, and loads")
    func huggingFace() async throws {
        let coordinator = try ScriptedCoordinator()
        let file = Fixtures.llamaFolder + "/hf/model.safetensors"
        var order = try coordinator.load(epoch: Epoch(1))
        order.model = ModelReference(
            format: .huggingFace, folder: "hf",
            files: [ModelReferenceFile(name: "model.safetensors", bytes: try Fixtures.byteCount(file))])
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(order)
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test("a configuration beside the weights that differs from the coordinator's is refused by its name")
    func companion() async throws {
        let coordinator = try ScriptedCoordinator()
        let folder = Fixtures.llamaFolder + "/hf/"
        var order = try coordinator.load(epoch: Epoch(1))
        order.model = ModelReference(
            format: .huggingFace, folder: "hf",
            files: [
                ModelReferenceFile(
                    name: "model.safetensors", bytes: try Fixtures.byteCount(folder + "model.safetensors")),
                ModelReferenceFile(
                    name: "config.json", bytes: try Fixtures.byteCount(folder + "config.json"),
                    sha256: [UInt8](repeating: 0xAB, count: 32), isCompanion: true),
            ])
        let failure = try await Self.failure(coordinator, order)
        #expect(failure?.reason == .hashMismatch)
        #expect(failure?.message.hasPrefix("config.json: sha256: expected abab") == true)
    }

    @Test("of a folder of shards only the files with the worker's layers are needed; a damaged one is refused by name")
    func shards() async throws {
        let folder = NSTemporaryDirectory() + "/shard-worker-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let splitter = try ModelSplitter(source: Fixtures.llamaFolder + "/" + Fixtures.llamaFile)
        _ = try splitter.split(shards: 2, into: folder + "/shards")
        let manifest = try ShardFolder(path: folder + "/shards").manifest
        let coordinator = try ScriptedCoordinator()
        var order = try coordinator.load(epoch: Epoch(1), layers: 1..<2, stage: 1, of: 2)
        order.model = ModelReference(
            format: .shards, folder: "shards",
            files: manifest.shards.map { shard in
                ModelReferenceFile(
                    name: shard.filename, bytes: UInt64(shard.fileSizeBytes),
                    sha256: FileHash(shard.sha256)?.bytes ?? [], units: shard.units)
            })
        // The first shard is not this worker's business, so it may as well be missing.
        try FileManager.default.removeItem(atPath: folder + "/shards/" + manifest.shards[0].filename)
        let worker = try coordinator.makeWorker(folders: [folder])
        try coordinator.expectHello()
        try coordinator.accept()
        try coordinator.bringUp(order)
        worker.leave("done")
        _ = await worker.outcome()

        let path = folder + "/shards/" + manifest.shards[1].filename
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let second = try ScriptedCoordinator()
        let failure = try await Self.failure(second, order, folders: [folder])
        #expect(failure?.reason == .hashMismatch)
        #expect(
            failure?.message.hasPrefix("shard_001.gguf: sha256: expected \(manifest.shards[1].sha256), got ") == true)
    }

    @Test("a file of another size is refused")
    func wrongSize() async throws {
        let coordinator = try ScriptedCoordinator()
        var order = try coordinator.load(epoch: Epoch(1))
        order.model.files[0].bytes += 1
        let failure = try await Self.failure(coordinator, order)
        #expect(failure?.message.contains("\(Fixtures.llamaFile): size: expected") == true)
    }

    @Test("a file that is in no folder is named with the folders")
    func missing() async throws {
        let coordinator = try ScriptedCoordinator()
        let failure = try await Self.failure(coordinator, try coordinator.load(epoch: Epoch(1), file: "other.gguf"))
        #expect(failure?.reason == .fileMissing)
        #expect(failure?.message == "other.gguf: file: expected it in \(Fixtures.llamaFolder), found none")
    }

    @Test("what does not fit is refused before it loads, with the sum")
    func memory() async throws {
        let coordinator = try ScriptedCoordinator()
        var order = try coordinator.load(epoch: Epoch(1))
        order.limits.memoryBytes = 1000
        let failure = try await Self.failure(coordinator, order)
        #expect(failure?.reason == .outOfMemory)
        #expect(failure?.message.contains("memory: expected at most 1000 bytes, got ") == true)
        #expect(failure?.message.contains("weights") == true)
    }

    @Test("bytes that overflow count as the largest number, which no limit allows")
    func overflow() throws {
        let model = try ModelSpec(describing: ModelFile.open(Fixtures.llamaFolder + "/" + Fixtures.llamaFile))
        let options = ShardRunnerOptions(
            layers: 0..<2, hasHead: true, cacheBlockCount: .max, rowsMax: .max, contextLength: 64)
        #expect(options.cacheBytes(of: model) == .max)
        #expect(options.scratchBytes(of: model) == .max)
    }

    @Test("layers that the model does not have are refused")
    func layers() async throws {
        let coordinator = try ScriptedCoordinator()
        let failure = try await Self.failure(coordinator, try coordinator.load(epoch: Epoch(1), layers: 0..<1000))
        #expect(failure?.reason == .invalidFile)
    }

    @Test("a link out of the worker's folders is not followed")
    func links() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("shard-links-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let hub = folder.appendingPathComponent("models--x--y")
        for path in ["plain", "models--x--y/snapshots/1", "models--x--y/blobs", "outside"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(path), withIntermediateDirectories: true)
        }
        for path in ["plain/a.gguf", "outside/c.gguf", "models--x--y/blobs/b"] {
            try Data([1]).write(to: folder.appendingPathComponent(path))
        }
        let snapshot = hub.appendingPathComponent("snapshots/1")
        try FileManager.default.createSymbolicLink(
            atPath: snapshot.path + "/b.gguf", withDestinationPath: "../../blobs/b")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/plain/c.gguf", withDestinationPath: "../outside/c.gguf")
        func finds(_ name: String, in path: String) -> Bool {
            let finder = ModelFinder(folders: [folder.path + "/" + path])
            return (try? finder.find([ModelReferenceFile(name: name, bytes: 1)], folder: "")) != nil
        }
        #expect(finds("a.gguf", in: "plain"))
        #expect(!finds("c.gguf", in: "plain"))
        #expect(finds("b.gguf", in: "models--x--y/snapshots/1"))
    }

    @Test("a coordinator of another version is refused by both versions")
    func version() async throws {
        let coordinator = try ScriptedCoordinator()
        let worker = try coordinator.makeWorker()
        try coordinator.expectHello()
        let version = ProtocolVersion(number: ProtocolVersion.current.number + 1, program: "2.0.0")
        try coordinator.send(.helloReply(.refused(HelloRefusal(.versionMismatch, version: version, message: "no"))))
        guard case .failed(let error) = await worker.outcome() else {
            Issue.record("it went on")
            return
        }
        #expect(error.description.contains("\(ProtocolVersion.current)"))
        #expect(error.description.contains("\(version)"))
    }

    @Test("a worker that waits before its coordinator joins, and joins the next one with what it has loaded")
    func anyOrder() async throws {
        // A free port, which nobody listens at when the worker starts.
        let place = try ScriptedCoordinator().endpoint
        let worker = try Worker(
            WorkerConfiguration(
                name: "a", coordinator: place.description, threads: 1, modelFolders: [Fixtures.llamaFolder],
                hashes: FileHashCache(folder: nil)),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let short = HeartbeatSettings(interval: .milliseconds(50), deadAfter: .milliseconds(300))
        var first: ScriptedCoordinator? = try ScriptedCoordinator(at: place)
        try first?.expectHello()
        try first?.accept(short)
        try first?.bringUp(try #require(try first?.load(epoch: Epoch(1))))
        first = nil
        let second = try ScriptedCoordinator(at: place)
        // The lease of the first run must end before the second is obeyed.
        var hello = try second.expectHello()
        try second.accept(short)
        while hello.run != nil {
            hello = try second.expectHello()
            try second.accept(short)
        }
        #expect(hello.highestEpoch == Epoch(1))
        try second.bringUp(try second.load(epoch: Epoch(2)))
        worker.leave("done")
        _ = await worker.outcome()
    }

    @Test(
        "what a worker is told wrong is refused by option",
        arguments: [
            ("--name", "a b", "tcp://127.0.0.1:1", "tcp://127.0.0.1:0", "cpu", 1),
            ("--coordinator", "a", "127.0.0.1:1", "tcp://127.0.0.1:0", "cpu", 1),
            ("--coordinator", "a", "tcp://10.0.0.1:1", "tcp://127.0.0.1:0", "cpu", 1),
            ("--bind", "a", "tcp://127.0.0.1:1", "tcp://0.0.0.0:0", "cpu", 1),
            ("--device", "a", "tcp://127.0.0.1:1", "tcp://127.0.0.1:0", "cuda:0", 1),
            ("--device", "a", "tcp://127.0.0.1:1", "tcp://127.0.0.1:0", "tpu", 1),
            ("--threads", "a", "tcp://127.0.0.1:1", "tcp://127.0.0.1:0", "cpu", 0),
        ])
    func options(place: String, name: String, coordinator: String, bind: String, device: String, threads: Int) {
        let error = #expect(throws: WorkerError.self) {
            try WorkerConfiguration(
                name: name, coordinator: coordinator, bind: bind, device: device, threads: threads)
        }
        #expect(error?.code == .configuration)
        #expect(error?.place == place)
    }

    @Test("lists of cores are read, and wrong ones refused")
    func cpus() throws {
        #expect(try WorkerConfiguration.cpuList("0-3,8") == [0, 1, 2, 3, 8])
        for text in ["", ",", "a", "3-1", "-1", "0-99999", "1-2-3"] {
            #expect(throws: WorkerError.self) { try WorkerConfiguration.cpuList(text) }
        }
    }
}
