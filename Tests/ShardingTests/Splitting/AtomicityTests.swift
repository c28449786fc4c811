import Foundation
import Testing

@testable import Sharding

@Suite("a split is there whole, or not at all")
struct AtomicityTests {
    private let source = FixtureModel.path(FixtureModel.llama)

    @Test("a split that is stopped leaves nothing behind, wherever it is stopped", arguments: 0..<40)
    func stopped(at step: Int) throws {
        let scratch = try TemporaryFolder()
        var calls = 0
        func run() throws {
            _ = try ModelSplitter(source: source).split(
                shards: 2, into: scratch.path + "/shards",
                progress: { (_) throws(CancellationError) in
                    calls += 1
                    if calls > step { throw CancellationError() }
                })
        }
        let error = #expect(throws: ShardingError.self) { try run() }
        #expect(error?.code == .cancelled)
        #expect(scratch.entries.isEmpty)
    }

    @Test("a disk without room is found before anything is written")
    func noSpace() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/shards"
        let error = #expect(throws: ShardingError.self) {
            try ModelSplitter(source: source).split(shards: 2, into: folder, freeBytes: { _ in 1000 })
        }
        #expect(error?.code == .noSpace)
        #expect(error?.description.hasPrefix("\(folder): disk space: expected ") == true)
        #expect(error?.description.contains("got 1000") == true)
        #expect(scratch.entries.isEmpty)
    }

    @Test("a folder that vanishes while it is written is an error")
    func vanishing() throws {
        let scratch = try TemporaryFolder()
        func run() throws {
            _ = try ModelSplitter(source: source).split(
                shards: 2, into: scratch.path + "/shards",
                progress: { (_) throws(CancellationError) in
                    for entry in scratch.entries {
                        try? FileManager.default.removeItem(atPath: scratch.path + "/" + entry)
                    }
                })
        }
        let error = #expect(throws: ShardingError.self) { try run() }
        #expect(error?.code == .system)
        #expect(scratch.entries.isEmpty)
    }

    @Test("shards that are there are replaced only where that is asked for")
    func replacing() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/shards"
        let splitter = try ModelSplitter(source: source)
        _ = try splitter.split(shards: 2, into: folder)
        let error = #expect(throws: ShardingError.self) { try splitter.split(shards: 1, into: folder) }
        #expect(error?.description.hasSuffix("; --force replaces it") == true)
        #expect(try ShardFolder(path: folder).manifest.numShards == 2)
        _ = try splitter.split(shards: 1, into: folder, isReplacing: true)
        #expect(try ShardFolder(path: folder).manifest.numShards == 1)
        #expect(!FileManager.default.fileExists(atPath: folder + "/shard_001.gguf"))
        #expect(scratch.entries == ["shards"])
    }

    @Test("a folder with anything else in it is never replaced")
    func strangers() throws {
        let scratch = try TemporaryFolder()
        let splitter = try ModelSplitter(source: source)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: scratch.path + "/letter.txt"))
        #expect(throws: ShardingError.self) { try splitter.split(shards: 2, into: scratch.path, isReplacing: true) }
        #expect(throws: ShardingError.self) {
            try splitter.split(shards: 2, into: scratch.path + "/letter.txt", isReplacing: true)
        }
        #expect(scratch.entries == ["letter.txt"])
    }

    @Test("shards with other files among them are not replaced", arguments: ["letter.txt", "shard_002.gguf"])
    func strangersAmongShards(name: String) throws {
        let scratch = try TemporaryFolder()
        let splitter = try ModelSplitter(source: source)
        _ = try splitter.split(shards: 2, into: scratch.path + "/s")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: scratch.path + "/s/" + name))
        let error = #expect(throws: ShardingError.self) {
            try splitter.split(shards: 1, into: scratch.path + "/s", isReplacing: true)
        }
        #expect(error?.description.contains("got \(name)") == true)
        #expect(FileManager.default.contents(atPath: scratch.path + "/s/" + name) == Data("mine".utf8))
        #expect(scratch.entries == ["s"])
    }

    @Test("a folder whose manifest cannot be read is not replaced")
    func foreignManifest() throws {
        let scratch = try TemporaryFolder()
        try Data("{}".utf8).write(to: URL(fileURLWithPath: scratch.path + "/manifest.json"))
        #expect(throws: ShardingError.self) {
            try ModelSplitter(source: source).split(shards: 1, into: scratch.path, isReplacing: true)
        }
        #expect(scratch.entries == ["manifest.json"])
    }

    @Test("a folder above that looks like a staging folder stays as it is")
    func partialAbove() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/.x.partial-1/s"
        let splitter = try ModelSplitter(source: source)
        _ = try splitter.split(shards: 2, into: folder)
        _ = try splitter.split(shards: 1, into: folder, isReplacing: true)
        #expect(try ShardFolder(path: folder).manifest.numShards == 1)
        #expect(scratch.entries == [".x.partial-1"])
    }

    @Test("shards that a killed process had moved aside are put back, or removed where new ones took their place")
    func movedAside() throws {
        let scratch = try TemporaryFolder()
        let aside = scratch.path + "/.s.replaced-4999999-1"
        let splitter = try ModelSplitter(source: source)
        _ = try splitter.split(shards: 2, into: aside)
        #expect(throws: ShardingError.self) { try splitter.split(shards: 1, into: scratch.path + "/s") }
        #expect(scratch.entries == ["s"])
        #expect(try ShardFolder(path: scratch.path + "/s").manifest.numShards == 2)
        _ = try splitter.split(shards: 1, into: aside)
        _ = try splitter.split(shards: 1, into: scratch.path + "/s", isReplacing: true)
        #expect(scratch.entries == ["s"])
    }

    @Test("an empty folder is filled, and missing folders above are made")
    func emptyFolder() throws {
        let scratch = try TemporaryFolder()
        let splitter = try ModelSplitter(source: source)
        _ = try splitter.split(shards: 1, into: scratch.path)
        #expect(scratch.entries == ["manifest.json", "shard_000.gguf"])
        let other = try TemporaryFolder()
        _ = try splitter.split(shards: 1, into: other.path + "/a/b/")
        #expect(try ShardFolder(path: other.path + "/a/b").manifest.numShards == 1)
    }

    @Test("a model is not replaced by its own shards")
    func ownFolder() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/s"
        _ = try ModelSplitter(source: source).split(shards: 2, into: folder)
        #expect(throws: ShardingError.self) {
            try ModelSplitter(source: folder).split(shards: 1, into: folder, isReplacing: true)
        }
        #expect(try ShardFolder(path: folder).manifest.numShards == 2)
    }

    @Test("what a killed process left is cleared away, what a living one writes is not")
    func leftovers() throws {
        let scratch = try TemporaryFolder()
        // No process has this number: it is above the kernel's limit.
        for name in [".s.partial-4999999-1", ".s.partial-\(getpid())-7", ".t.partial-4999999-1"] {
            try FileManager.default.createDirectory(
                atPath: scratch.path + "/" + name, withIntermediateDirectories: false)
        }
        _ = try ModelSplitter(source: source).split(shards: 1, into: scratch.path + "/s")
        #expect(scratch.entries == [".s.partial-\(getpid())-7", ".t.partial-4999999-1", "s"])
    }

    @Test("zero shards cannot be made")
    func zero() throws {
        let scratch = try TemporaryFolder()
        #expect(throws: ShardingError.self) {
            try ModelSplitter(source: source).split(shards: 0, into: scratch.path + "/s")
        }
        #expect(scratch.entries.isEmpty)
    }
}
