import ModelFiles
import Testing

@testable import Sharding

@Suite("what shard info says")
struct ModelSummaryTests {
    @Test("a GGUF file, a Hugging Face folder, a shard folder and one shard are told apart")
    func kinds() throws {
        let scratch = try TemporaryFolder()
        let folder = scratch.path + "/s"
        _ = try ModelSplitter(source: FixtureModel.path(FixtureModel.demo)).split(shards: 3, into: folder)
        #expect(try ModelSummary(path: FixtureModel.path(FixtureModel.demo)).kind == .gguf)
        #expect(try ModelSummary(path: FixtureModel.path(FixtureModel.demoFolder)).kind == .huggingFace)
        #expect(try ModelSummary(path: folder).kind == .shardFolder)
        #expect(try ModelSummary(path: folder + "/shard_002.gguf").kind == .shard(index: 2, count: 3, layers: 6..<8))
    }

    @Test("the demo model is summed up")
    func demo() throws {
        let summary = try ModelSummary(path: FixtureModel.path(FixtureModel.demo))
        #expect(summary.architecture == "llama" && summary.unsupportedReason == nil)
        #expect(summary.parameterCount == 4_788_480)
        #expect(summary.types.map(\.type) == ["q8_0", "f32"])
        #expect(summary.types.reduce(0) { $0 + $1.bytes } == summary.weightBytes)
        #expect(summary.stateBytesPerToken == 8 * 256)
        #expect(summary.tokenizer == .init(of: summary.model))
        #expect(summary.tokenizer?.kind == "byte-level BPE (llama-bpe)")
        #expect(summary.tokenizer?.tokenCount == 1280)
    }

    @Test("both formats of a model have the same parameters")
    func sameParameters() throws {
        let (gguf, folder) = (
            FixtureModel.path("Models/demo/demo-f16.gguf"), FixtureModel.path(FixtureModel.demoFolder)
        )
        #expect(try ModelSummary(path: gguf).parameterCount == ModelSummary(path: folder).parameterCount)
        #expect(try ModelSummary(path: folder).tokenizer?.tokenCount == 1280)
    }

    @Test("one shard counts its own layers")
    func ownLayers() throws {
        let scratch = try TemporaryFolder()
        _ = try ModelSplitter(source: FixtureModel.path(FixtureModel.demo)).split(shards: 4, into: scratch.path + "/s")
        let summary = try ModelSummary(path: scratch.path + "/s/shard_001.gguf")
        #expect(summary.stateBytesPerToken == 2 * 256)
        #expect(summary.hyperparameters?.blockCount == 8)
    }

    @Test(
        "a model that cannot run is described, with the reason",
        arguments: ["models/gemma2/gemma2-f16.gguf", "models/gemma3/hf", "tokenizers/llama3/vocab.gguf"])
    func unsupported(place: String) throws {
        let summary = try ModelSummary(path: FixtureModel.path("Tests/Fixtures/conformance/" + place))
        #expect(summary.unsupportedReason?.isEmpty == false)
        #expect(summary.tokenizer != nil)
    }

    @Test("what is no model is an error", arguments: ["/nonexistent", "/tmp", "/dev/null"])
    func noModel(path: String) {
        #expect(throws: ShardingError.self) { try ModelSummary(path: path) }
    }
}
