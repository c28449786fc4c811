import Foundation
import ShardKit
import Testing

@Suite("Splitting through the library")
struct SplitModelTests {
    @Test(
        "the manifest lists each layer once, and the files are there", arguments: [Fixtures.tiny, Fixtures.tinyFolder])
    func split(model: URL) async throws {
        try await Fixtures.withFolder { folder in
            let manifest = try await splitModel(at: model, shards: 2, into: folder)
            #expect(manifest.shards.count == 2 && manifest.shards.map(\.index) == [0, 1])
            #expect(manifest.shards.reduce(0) { $0 + $1.layerCount } == manifest.layerCount)
            #expect(manifest.shards.first?.layerNames.first == "embedding")
            #expect(manifest.shards.last?.layerNames.last == "head")
            for shard in manifest.shards {
                let path = folder.appending(path: shard.fileName).path
                let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
                #expect(size == shard.fileSizeBytes)
            }
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: "manifest.json").path))
        }
    }

    @Test("more shards than layers make as many as there are layers")
    func tooMany() async throws {
        try await Fixtures.withFolder { folder in
            let manifest = try await splitModel(at: Fixtures.tiny, shards: 1000, into: folder)
            #expect(manifest.shards.count == manifest.layerCount)
        }
    }

    @Test("progress rises to the whole")
    func progress() async throws {
        try await Fixtures.withFolder { folder in
            let (steps, continuation) = AsyncStream<Double>.makeStream()
            try await splitModel(at: Fixtures.tiny, shards: 2, into: folder) { continuation.yield($0) }
            continuation.finish()
            var last = 0.0
            for await step in steps {
                #expect(step >= last && step <= 1)
                last = step
            }
            #expect(last == 1)
        }
    }

    @Test("wrong requests are errors of one line", arguments: [0, -1])
    func wrongCount(count: Int) async throws {
        try await Fixtures.withFolder { folder in
            let error = await #expect(throws: ShardKitError.self) {
                try await splitModel(at: Fixtures.tiny, shards: count, into: folder)
            }
            #expect(error?.description.contains("\n") == false)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }

    @Test("a model that is not there, or is none, is an error that names it")
    func noModel() async throws {
        try await Fixtures.withFolder { folder in
            let missing = await #expect(throws: ShardKitError.self) {
                try await splitModel(at: folder.appending(path: "none.gguf"), shards: 2, into: folder)
            }
            #expect(missing?.code == .model && missing?.message.contains("none.gguf") == true)
            let file = URL(filePath: #filePath)
            await #expect(throws: ShardKitError.self) { try await splitModel(at: file, shards: 2, into: folder) }
        }
    }

    @Test("a folder that is there already is only replaced when asked for")
    func replacing() async throws {
        try await Fixtures.withFolder { folder in
            try await splitModel(at: Fixtures.tiny, shards: 2, into: folder)
            await #expect(throws: ShardKitError.self) {
                try await splitModel(at: Fixtures.tiny, shards: 1, into: folder)
            }
            let manifest = try await splitModel(at: Fixtures.tiny, shards: 1, into: folder, isReplacing: true)
            #expect(manifest.shards.count == 1)
        }
    }

    @Test("a cancelled task leaves nothing behind")
    func cancelled() async throws {
        try await Fixtures.withFolder { folder in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await splitModel(at: Fixtures.tiny, shards: 2, into: folder)
            }
            await #expect(throws: ShardKitError.self) { try await task.value }
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
