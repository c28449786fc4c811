import Foundation
import Testing

@testable import Sharding

@Suite("manifest.json")
struct ShardManifestTests {
    private static func makeDemo() throws -> (TemporaryFolder, [String: Any]) {
        let scratch = try TemporaryFolder()
        _ = try ModelSplitter(source: FixtureModel.path(FixtureModel.demo)).split(shards: 2, into: scratch.path + "/s")
        let data = try #require(FileManager.default.contents(atPath: scratch.path + "/s/manifest.json"))
        return (scratch, try #require(JSONSerialization.jsonObject(with: data) as? [String: Any]))
    }

    @Test("it has the documented fields")
    func fields() throws {
        let (_, manifest) = try Self.makeDemo()
        #expect(
            Set(manifest.keys) == [
                "manifest_version", "source", "model_class", "architecture", "total_layers", "num_shards", "shards",
            ])
        #expect(manifest["manifest_version"] as? Int == 1)
        let source = try #require(manifest["source"] as? [String: Any])
        #expect(source["name"] as? String == "demo-q8_0.gguf")
        #expect(source["bytes"] as? Int == 5_141_440)
        #expect(manifest["model_class"] as? String == "llama")
        #expect(manifest["architecture"] as? String == "llama")
        #expect(manifest["total_layers"] as? Int == 8)
        #expect(manifest["num_shards"] as? Int == 2)
        let shards = try #require(manifest["shards"] as? [[String: Any]])
        #expect(shards.count == 2)
        let last = shards[1]
        #expect(
            Set(last.keys) == [
                "shard_id", "filename", "layer_names", "num_layers", "file_size_bytes", "sha256", "layers", "tensors",
            ])
        #expect(last["shard_id"] as? Int == 1)
        #expect(last["filename"] as? String == "shard_001.gguf")
        #expect(last["layer_names"] as? [String] == ["blk.4", "blk.5", "blk.6", "blk.7", "head"])
        #expect(last["num_layers"] as? Int == 4)
        let layers = try #require(last["layers"] as? [[String: Any]])
        #expect(layers[0]["index"] as? Int == 4)
        #expect(layers[0]["kind"] as? String == "attention")
        // Two key-value heads of 32, keys and values, two bytes each.
        #expect(layers[0]["state_bytes_per_token"] as? Int == 256)
        #expect(layers[0]["state_bytes_fixed"] as? Int == 0)
        let tensors = try #require(last["tensors"] as? [[String: Any]])
        let query = try #require(tensors.first { $0["name"] as? String == "blk.4.attn_q.weight" })
        #expect(query["shape"] as? [Int] == [256, 256])
        #expect(query["type"] as? String == "q8_0")
        #expect(query["bytes"] as? Int == 256 * 8 * 34)
        #expect((query["sha256"] as? String)?.count == 64)
        let weightBytes = tensors.filter { ($0["name"] as? String)?.hasPrefix("blk.4.") == true }
            .compactMap { $0["bytes"] as? Int }
        #expect(layers[0]["weight_bytes"] as? Int == weightBytes.reduce(0, +))
    }

    @Test("it is read as it was written")
    func roundTrip() throws {
        let scratch = try TemporaryFolder()
        let manifest = try ModelSplitter(source: FixtureModel.path(FixtureModel.demoFolder)).split(
            shards: 3, into: scratch.path + "/s")
        #expect(try ShardManifest(decoding: manifest.encoded(), place: "m") == manifest)
        #expect(try ShardFolder(path: scratch.path + "/s").manifest == manifest)
        #expect(manifest.modelClass == "LlamaForCausalLM")
    }

    typealias Change = @Sendable (inout [String: Any]) -> Void

    /// Changes a field of the first shard.
    private static func shard(_ key: String, _ value: sending Any) -> Change {
        let value = UncheckedValue(value)
        return { manifest in
            var shards = manifest["shards"] as? [[String: Any]] ?? []
            shards[0][key] = value.value
            manifest["shards"] = shards
        }
    }

    /// Changes a field of the first tensor of the first shard.
    private static func tensor(_ key: String, _ value: sending Any) -> Change {
        let value = UncheckedValue(value)
        return { manifest in
            var shards = manifest["shards"] as? [[String: Any]] ?? []
            var tensors = shards[0]["tensors"] as? [[String: Any]] ?? []
            tensors[0][key] = value.value
            shards[0]["tensors"] = tensors
            manifest["shards"] = shards
        }
    }

    static let hostile: [(field: String, change: Change)] = [
        ("manifest_version", { $0["manifest_version"] = 2 }),
        ("total_layers", { $0["total_layers"] = 9_000_000_000 }),
        ("total_layers", { $0["total_layers"] = "8" }),
        ("the file", { $0["total_layers"] = 1e300 }),
        ("shards", { $0["total_layers"] = 9 }),
        ("num_shards", { $0["num_shards"] = 3 }),
        ("shards", { $0["shards"] = [] as [Int] }),
        ("shards", { $0["shards"] = nil }),
        ("source.bytes", { $0["source"] = ["name": "x", "bytes": -1] as [String: Any] }),
        ("shards[0].filename", shard("filename", "../shard_000.gguf")),
        ("shards[0].filename", shard("filename", "/etc/passwd")),
        ("shards[0].filename", shard("filename", "a\\b")),
        ("shards[0].filename", shard("filename", "")),
        ("shards[0].filename", shard("filename", "..")),
        ("shards[0].filename", shard("filename", "a\u{0}b")),
        ("shards[0].filename", shard("filename", "manifest.json")),
        ("shards[1].filename", shard("filename", "shard_001.gguf")),
        ("shards[0].shard_id", shard("shard_id", 7)),
        ("shards[0].file_size_bytes", shard("file_size_bytes", 0)),
        ("shards[0].num_layers", shard("num_layers", 5)),
        ("shards[0].layer_names", shard("layer_names", ["head"])),
        ("shards[0].sha256", shard("sha256", "ABC")),
        ("shards[0].tensors[0].bytes", tensor("shape", [Int.max, Int.max])),
        ("shards[0].tensors[0].bytes", tensor("shape", [-1, -1])),
        ("shards[0].tensors[0].bytes", tensor("bytes", 1)),
        ("shards[0].tensors[0].offset", tensor("offset", Int.max)),
        ("shards[0].tensors[0].offset", tensor("offset", -1)),
        ("shards[0].tensors[0].type", tensor("type", "q99")),
        ("shards[0].tensors[0].name", tensor("name", "")),
        (
            "files[0].filename",
            { $0["files"] = [["filename": "a/b", "file_size_bytes": 1, "sha256": ""] as [String: Any]] }
        ),
    ]

    @Test("what cannot be is refused, and the field named", arguments: hostile.indices)
    func refused(index: Int) throws {
        var (_, manifest) = try Self.makeDemo()
        Self.hostile[index].change(&manifest)
        let data = try JSONSerialization.data(withJSONObject: manifest)
        let error = #expect(throws: ShardingError.self) { try ShardManifest(decoding: data, place: "s/manifest.json") }
        #expect(error?.code == .manifest)
        #expect(error?.field == Self.hostile[index].field, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test("no part of it is enough", arguments: 0..<60)
    func truncated(part: Int) throws {
        let scratch = try TemporaryFolder()
        let manifest = try ModelSplitter(source: FixtureModel.path(FixtureModel.llama)).split(
            shards: 1, into: scratch.path + "/s")
        let data = manifest.encoded()
        #expect(throws: ShardingError.self) {
            try ShardManifest(decoding: data.prefix(data.count * part / 60), place: "m")
        }
    }

    @Test("deep nesting is refused")
    func deep() {
        let data = Data((String(repeating: "[", count: 200_000)).utf8)
        #expect(throws: ShardingError.self) { try ShardManifest(decoding: data, place: "m") }
    }
}

/// Plain JSON values, which nobody changes.
struct UncheckedValue: @unchecked Sendable {
    let value: Any
    init(_ value: Any) { self.value = value }
}
