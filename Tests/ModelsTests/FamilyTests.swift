import ModelFiles
import Testing

@testable import Models

@Suite("Families")
struct FamilyTests {
    @Test(
        "models of known families are described and hold every tensor that their description names",
        arguments: [
            "llama/hf", "llama/llama-f16.gguf", "mistral/hf", "mistral/mistral-f16.gguf", "mistral-window/hf",
            "qwen2/hf",
            "qwen2/qwen2-f32.gguf", "qwen3/hf", "qwen3/qwen3-bf16.gguf", "mixtral/hf", "mixtral/mixtral-f16.gguf",
            "qwen3moe/hf", "qwen3moe/qwen3moe-f16.gguf",
        ])
    func describes(path: String) throws {
        let file = try ModelFile.open("\(Fixtures.conformance)/models/\(path)")
        let spec = try ModelSpec(describing: file)
        try spec.validate(against: file)
        #expect(spec.layers.count == 2)
        #expect(spec.contextLength == 1024)
        let parts = ModelParts(of: file, as: spec)
        #expect(parts.other.isEmpty)
        #expect(parts.layers.allSatisfy { !$0.isEmpty })
        #expect(parts.head.count == 2)
        #expect(parts.head.contains { $0.name == spec.embedding.weight } == spec.head.isTied)
    }

    @Test("the demo model is described alike in all its files", arguments: ["hf", "demo-f16.gguf", "demo-q8_0.gguf"])
    func demo(name: String) throws {
        let file = try ModelFile.open("\(Fixtures.demo)/\(name)")
        let spec = try ModelSpec(describing: file)
        try spec.validate(against: file)
        #expect(spec.vocabularySize == 1280 && spec.hiddenSize == 256 && spec.layers.count == 8)
        #expect(spec.head.isTied)
        let attention = spec.layers[7].attention
        #expect(attention.headCount == 8 && attention.keyValueHeadCount == 2 && attention.headDim == 32)
        #expect(spec.layers[0].stateBytesPerToken(.f16) == 2 * 2 * 32 * 2)
        #expect(spec.layers[0].stateBytesPerToken(.q8_0) == 2 * 2 * 34)
        let parameters = try file.hyperparameters()
        #expect(parameters.bosTokenID == 0 && parameters.eosTokenIDs.first == 3)
        #expect(attention.rotary?.pairing == (name == "hf" ? .halves : .adjacent))
    }

    @Test(
        "unknown families are refused by name, with the known ones",
        arguments: ["gemma2", "gemma3", "phi3"])
    func refusesUnknown(name: String) throws {
        for path in ["hf", "\(name)-f16.gguf"] {
            let file = try ModelFile.open(Fixtures.model(name, path))
            let error = try #require(throws: ModelError.self) { try ModelSpec(describing: file) }
            #expect(error.description.contains("llama, mistral, mixtral, qwen2, qwen3, qwen3moe"))
            #expect(error.got.contains(name.prefix(5)))
        }
    }

    @Test("families differ in biases, head norms, windows and pairing")
    func mechanisms() throws {
        func layer(_ path: String) throws -> LayerSpec {
            try ModelSpec(describing: ModelFile.open("\(Fixtures.conformance)/models/\(path)")).layers[1]
        }
        for path in ["qwen2/hf", "qwen2/qwen2-f32.gguf"] {
            let attention = try layer(path).attention
            #expect(attention.query.bias != nil && attention.key.bias != nil && attention.value.bias != nil)
            #expect(attention.output.bias == nil && attention.queryNorm == nil)
            #expect(attention.rotary?.pairing == .halves)
        }
        for path in ["qwen3/hf", "qwen3/qwen3-bf16.gguf"] {
            let attention = try layer(path).attention
            #expect(attention.query.bias == nil && attention.queryNorm != nil && attention.keyNorm != nil)
            #expect(attention.rotary?.pairing == .halves)
        }
        #expect(try layer("mistral-window/hf").attention.window == 40)
        #expect(try layer("mistral-window/hf").attention.headDim == 24)
        #expect(try layer("mistral/hf").attention.window == nil)
        #expect(try layer("mistral/mistral-f16.gguf").attention.rotary?.pairing == .adjacent)
    }

    @Test("mixtures of experts are described alike in folders and in files, where experts are one tensor")
    func experts() throws {
        for (paths, count, size) in [
            (["mixtral/hf", "mixtral/mixtral-f16.gguf"], 4, 40),
            (["qwen3moe/hf", "qwen3moe/qwen3moe-f16.gguf"], 6, 32),
        ] {
            for path in paths {
                let spec = try ModelSpec(describing: ModelFile.open("\(Fixtures.conformance)/models/\(path)"))
                for layer in spec.layers {
                    guard case .experts(let experts) = layer.feedForward else {
                        Issue.record("\(path): expected experts")
                        continue
                    }
                    #expect(experts.router.outputCount == count && experts.experts.count == count)
                    #expect(experts.usedCount == 2 && experts.isNormalized)
                    #expect(experts.experts.allSatisfy { $0.gate.outputCount == size && $0.down.inputCount == size })
                    let isFile = path.hasSuffix("gguf")
                    let last = experts.experts[count - 1].up
                    #expect(last.stack == (isFile ? StackPlace(index: count - 1, count: count) : nil))
                    #expect(last.firstRow == (isFile ? (count - 1) * size : 0))
                }
            }
        }
    }

    @Test("a missing tensor and a wrong shape are named with what was expected")
    func validates() throws {
        let file = try ModelFile.open(Fixtures.model("mistral"))
        var spec = try ModelSpec(describing: file)
        spec.layers[1].attention.key.outputCount = 48
        let shape = try #require(throws: ModelError.self) { try spec.validate(against: file) }
        #expect(shape.code == .shapeMismatch)
        #expect(
            shape.description.hasPrefix(
                "hf: model.layers.1.self_attn.k_proj.weight: expected shape [48, 64], got [32, 64]; "))
        try spec.validate(against: file, layers: 0..<1)
        spec.layers[1].attention.key.weight = "model.layers.1.none"
        let missing = try #require(throws: ModelError.self) { try spec.validate(against: file) }
        #expect(missing.code == .missingTensor)
    }

    @Test("a tensor of a layer that nothing reads is refused")
    func refusesUnexplained() throws {
        let file = try ModelFile.open(Fixtures.model("qwen3"))
        var spec = try ModelSpec(describing: file)
        spec.layers[0].attention.queryNorm = nil
        let error = try #require(throws: ModelError.self) { try spec.validate(against: file) }
        #expect(error.code == .unexpectedTensor && error.field == "model.layers.0.self_attn.q_norm.weight")
    }
}
