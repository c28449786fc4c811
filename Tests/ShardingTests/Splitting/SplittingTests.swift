import Foundation
import ModelFiles
import Testing

@testable import Sharding

@Suite("splitting models")
struct SplittingTests {
    @Test("shards together hold every tensor of the model, byte for byte", arguments: FixtureModel.all, [1, 2, 3])
    func everyTensor(place: String, shards: Int) throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/shards"
        let splitter = try ModelSplitter(source: FixtureModel.path(place))
        let manifest = try splitter.split(shards: shards, into: folder)
        #expect(manifest.numShards == min(shards, splitter.layerCount))
        let source = splitter.model
        let joined = try ShardFolder(path: folder).open()
        #expect(Set(joined.tensors.map(\.name)) == Set(source.tensors.map(\.name)))
        for tensor in source.tensors {
            let copy = try #require(joined.tensor(tensor.name))
            #expect(copy.type == tensor.type && copy.shape == tensor.shape)
            #expect(joined.bytes(of: copy).elementsEqual(source.bytes(of: tensor)), "\(tensor.name)")
        }
        #expect(try joined.hyperparameters() == source.hyperparameters())
        #expect(scratch.entries == ["shards"])
    }

    @Test("a GGUF shard is a GGUF file that describes itself and keeps the model's metadata")
    func describesItself() throws {
        let scratch = try TemporaryFolder()
        let path = FixtureModel.path(FixtureModel.demo)
        let source = try ModelFile.open(path)
        _ = try ModelSplitter(source: path).split(shards: 3, into: scratch.path + "/shards")
        let hash = FileHash(of: source.files[0].bytes).description
        for (index, range) in [0..<3, 3..<6, 6..<8].enumerated() {
            let shard = try ModelFile.open("\(scratch.path)/shards/shard_00\(index).gguf")
            #expect(try shard.metadata.integer("shard.index", in: 0...9) == index)
            #expect(try shard.metadata.integer("shard.count", in: 0...9) == 3)
            #expect(try shard.metadata.integer("shard.layer_first", in: 0...9) == range.lowerBound)
            #expect(try shard.metadata.integer("shard.layer_end", in: 0...9) == range.upperBound)
            #expect(try shard.metadata.string("shard.source_sha256") == hash)
            #expect(try shard.hyperparameters() == source.hyperparameters())
            #expect(
                try shard.metadata.strings("tokenizer.ggml.tokens") == source.metadata.strings("tokenizer.ggml.tokens"))
            #expect(shard.metadata.entries.count == source.metadata.entries.count + 5)
            for layer in 0..<8 {
                #expect(shard.contains("blk.\(layer).attn_q.weight") == range.contains(layer))
            }
            #expect(
                shard.contains("token_embd.weight") == (index != 1), "a tied embedding is in the first and the last")
            #expect(shard.contains("output_norm.weight") == (index == 2))
        }
    }

    @Test("a Hugging Face model's shards have its configuration and tokenizer beside them")
    func selfSufficient() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/shards"
        let manifest = try ModelSplitter(source: FixtureModel.path(FixtureModel.window)).split(shards: 2, into: folder)
        let files = try #require(manifest.files).map(\.filename)
        #expect(files.contains("config.json") && files.contains("tokenizer.json") && files.contains("tokenizer.model"))
        for file in files {
            let original = FileManager.default.contents(atPath: FixtureModel.path(FixtureModel.window) + "/" + file)
            #expect(FileManager.default.contents(atPath: "\(folder)/\(file)") == original)
        }
        let shard = try ModelFile.open(files: [folder + "/shard_001.safetensors"])
        #expect(shard.safetensorsMetadata["shard.index"] == "1")
        #expect(shard.config != nil)
        #expect(shard.tensors.allSatisfy { $0.offset % 2 == 0 })
    }

    @Test("shards can be split again, with the same tensors")
    func again() throws {
        let scratch = try TemporaryFolder()
        let first = try ModelSplitter(source: FixtureModel.path(FixtureModel.llama)).split(
            shards: 2, into: scratch.path + "/two")
        let second = try ModelSplitter(source: scratch.path + "/two").split(shards: 1, into: scratch.path + "/one")
        let hashes = Set(first.shards.flatMap { $0.tensors.map { "\($0.name) \($0.sha256)" } })
        #expect(Set(second.shards[0].tensors.map { "\($0.name) \($0.sha256)" }) == hashes)
    }

    @Test("splitting twice gives the same bytes")
    func deterministic() throws {
        let scratch = try TemporaryFolder()
        let splitter = try ModelSplitter(source: FixtureModel.path(FixtureModel.llama))
        let first = try splitter.split(shards: 2, into: scratch.path + "/a")
        #expect(try splitter.split(shards: 2, into: scratch.path + "/b") == first)
    }

    @Test("one shard alone is no model to split")
    func oneShard() throws {
        let scratch = try TemporaryFolder()
        _ = try ModelSplitter(source: FixtureModel.path(FixtureModel.llama)).split(shards: 2, into: scratch.path + "/s")
        let error = #expect(throws: ShardingError.self) {
            try ModelSplitter(source: scratch.path + "/s/shard_001.gguf")
        }
        #expect(error?.description.contains("blk.0") == true)
    }
}
