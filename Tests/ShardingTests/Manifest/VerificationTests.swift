import Foundation
import ModelFiles
import Testing

@testable import Sharding

@Suite("verifying shards")
struct VerificationTests {
    private func split(_ place: String = FixtureModel.demoFolder) throws -> (TemporaryFolder, ShardFolder) {
        let scratch = try TemporaryFolder()
        _ = try ModelSplitter(source: FixtureModel.path(place)).split(shards: 2, into: scratch.path + "/s")
        return (scratch, try ShardFolder(path: scratch.path + "/s"))
    }

    /// Flips one bit of a file.
    private func flip(_ path: String, at offset: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: [byte ^ 1])
        try handle.close()
    }

    @Test("what was just written is right")
    func right() throws {
        let (scratch, folder) = try split()
        defer { withExtendedLifetime(scratch) {} }
        var read = 0
        let bad = try folder.verify { (bytes) throws(CancellationError) in read += bytes }
        #expect(bad.isEmpty)
        #expect(read == folder.byteCount)
    }

    @Test("every bad file is named: changed, cut, missing")
    func bad() throws {
        let (scratch, folder) = try split()
        try flip(scratch.path + "/s/shard_000.safetensors", at: 500_000)
        try FileManager.default.removeItem(atPath: scratch.path + "/s/tokenizer.json")
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: scratch.path + "/s/shard_001.safetensors"))
        try handle.truncate(atOffset: 5000)
        try handle.close()
        let bad = try folder.verify()
        #expect(bad.map(\.filename) == ["shard_000.safetensors", "shard_001.safetensors", "tokenizer.json"])
        #expect(bad[0].error.description.contains("expected SHA-256"))
        #expect(bad[1].error.description.contains("got 5000"))
        #expect(bad[2].error.description.contains("no such file"))
        #expect(throws: ShardingError.self) { try folder.open() }
    }

    @Test("a tensor whose own hash is wrong in the manifest is named")
    func badTensorHash() throws {
        let (scratch, folder) = try split(FixtureModel.llama)
        var manifest = folder.manifest
        manifest.shards[1].tensors[2].sha256 = String(repeating: "0", count: 64)
        try manifest.encoded().write(to: URL(fileURLWithPath: scratch.path + "/s/manifest.json"))
        let bad = try ShardFolder(path: scratch.path + "/s").verify()
        #expect(bad.map(\.filename) == ["shard_001.gguf"])
        #expect(bad.first?.error.field == manifest.shards[1].tensors[2].name)
    }

    @Test("a link that leaves the folder is not followed")
    func link() throws {
        let (scratch, folder) = try split(FixtureModel.llama)
        let shard = scratch.path + "/s/shard_000.gguf"
        try FileManager.default.moveItem(atPath: shard, toPath: scratch.path + "/outside.gguf")
        try FileManager.default.createSymbolicLink(atPath: shard, withDestinationPath: "../outside.gguf")
        #expect(throws: ShardingError.self) { try folder.open() }
        #expect(try folder.verify().map(\.filename) == ["shard_000.gguf"])
    }

    @Test("an unchanged file is not read twice, a changed one is")
    func remembered() throws {
        let scratch = try TemporaryFolder()
        let cache = FileHashCache(folder: scratch.path + "/cache")
        let file = try MappedFile(path: FixtureModel.path(FixtureModel.demo))
        #expect(cache.recall(file) == nil)
        var pieces: [Int] = []
        let hash = try cache.hash(of: file) { (bytes) throws(CancellationError) in pieces.append(bytes) }
        #expect(pieces.count > 1)
        #expect(cache.recall(file) == hash)
        pieces = []
        #expect(try cache.hash(of: file) { (bytes) throws(CancellationError) in pieces.append(bytes) } == hash)
        #expect(pieces == [file.byteCount])
        pieces = []
        #expect(
            try cache.hash(of: file, isForced: true) { (bytes) throws(CancellationError) in pieces.append(bytes) }
                == hash)
        #expect(pieces.count > 1)
        // The same place with other bytes is another state.
        let entry = try #require(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/cache/hashes").first)
        let path = scratch.path + "/cache/hashes/" + entry
        let words = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ")
        try "\(words[0]) \(words[1]) 1 \(words[3])".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(cache.recall(file) == nil)
        try "garbage".write(toFile: path, atomically: true, encoding: .utf8)
        #expect(cache.recall(file) == nil)
    }

    @Test("a file that has just changed is not remembered")
    func fresh() throws {
        let (scratch, folder) = try split(FixtureModel.llama)
        let cache = FileHashCache(folder: scratch.path + "/cache")
        let path = scratch.path + "/s/shard_000.gguf"
        try flip(path, at: 40_000)
        let file = try MappedFile(path: path)
        cache.remember(file, FileHash(of: file.bytes))
        #expect(cache.recall(file) == nil)
        let error = #expect(throws: ShardingError.self) { try folder.verifyFiles(cache: cache) }
        #expect(error?.description.contains("shard_000.gguf") == true)
    }

    @Test("a tokenizer that has changed is found with the shards' files")
    func changedCompanion() throws {
        let (scratch, folder) = try split(FixtureModel.window)
        let cache = FileHashCache(folder: scratch.path + "/cache")
        try folder.verifyFiles(cache: cache)
        try flip(scratch.path + "/s/tokenizer.json", at: 10)
        let error = #expect(throws: ShardingError.self) { try folder.verifyFiles(cache: cache) }
        #expect(error?.description.contains("tokenizer.json") == true)
    }

    @Test("a file that is not there is named once")
    func missingFile() {
        let error = #expect(throws: ModelFileError.self) { try MappedFile(path: "x/nofile") }
        #expect(
            error?.description == "x/nofile: open: expected a readable file, got No such file or directory")
    }

    @Test("the cache folder follows the environment")
    func cacheFolder() {
        #expect(FileHashCache.cacheFolder(environment: ["XDG_CACHE_HOME": "/x", "HOME": "/h"]) == "/x/shard")
        #expect(FileHashCache.cacheFolder(environment: ["XDG_CACHE_HOME": "x", "HOME": "/h"]) == "/h/.cache/shard")
        #expect(FileHashCache.cacheFolder(environment: [:]) == nil)
    }

    @Test("hashes are those of SHA-256")
    func knownHash() {
        let bytes = Array("abc".utf8)
        let hash = bytes.withUnsafeBytes { FileHash(of: $0) }
        #expect(hash.description == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(FileHash(hash.description) == hash)
        #expect(FileHash(hash.description.uppercased()) == nil)
    }
}
