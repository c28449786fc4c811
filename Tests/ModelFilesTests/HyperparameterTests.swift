import Testing

@testable import ModelFiles

@Suite("Hyperparameters")
struct HyperparameterTests {
    private func read(_ changes: [String: String], generation: String? = nil) throws -> ModelHyperparameters {
        var fields = [
            "model_type": "\"llama\"", "architectures": "[\"LlamaForCausalLM\"]", "hidden_size": "8",
            "intermediate_size": "16", "num_hidden_layers": "4", "num_attention_heads": "2",
            "max_position_embeddings": "64", "rms_norm_eps": "1e-5", "vocab_size": "6",
        ]
        fields.merge(changes) { $1 }
        let text = fields.map { "\"\($0)\": \($1)" }.joined(separator: ", ")
        var files: [String: [UInt8]] = [
            "config.json": Array("{\(text)}".utf8), "model.safetensors": SafetensorsBytes.tinyModel(),
        ]
        if let generation { files["generation_config.json"] = Array(generation.utf8) }
        return try ModelFile.open(folder: HuggingFaceFolder(name: "m", files: files)).hyperparameters()
    }

    @Test("what a configuration leaves out follows from the rest")
    func defaults() throws {
        let parameters = try read(["head_dim": "null", "num_key_value_heads": "null"])
        #expect(parameters.headDim == 4 && parameters.keyValueHeadCount == 2)
        #expect(parameters.rope == RopeParameters(base: 10_000, dimensionCount: 4, scaling: .none))
        #expect(parameters.isEmbeddingTied == nil && parameters.slidingWindow == nil && parameters.bosTokenID == nil)
        #expect(parameters.modelClass == "LlamaForCausalLM" && parameters.experts == nil)
    }

    @Test("old and current spellings of rotary parameters mean the same")
    func spellings() throws {
        let body =
            #""factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32"#
        let old = try read(["rope_theta": "500000.0", "rope_scaling": "{\"rope_type\": \"llama3\", \(body)}"])
        let older = try read(["rope_theta": "500000.0", "rope_scaling": "{\"type\": \"llama3\", \(body)}"])
        let current = try read(["rope_parameters": "{\"rope_theta\": 500000.0, \"rope_type\": \"llama3\", \(body)}"])
        #expect(old.rope == current.rope && older.rope == current.rope)
        #expect(
            current.rope.scaling
                == .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 32))
        #expect(try read(["partial_rotary_factor": "0.5"]).rope.dimensionCount == 2)
        #expect(try read(["rope_parameters": "{\"partial_rotary_factor\": 0.5}"]).rope.dimensionCount == 2)
    }

    @Test("linear and YaRN scaling are read with their defaults")
    func scalings() throws {
        #expect(try read(["rope_scaling": #"{"type": "linear", "factor": 2}"#]).rope.scaling == .linear(factor: 2))
        let yarn = #"{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}"#
        let expected = YarnScaling(
            factor: 4, originalContextLength: 16, betaFast: 32, betaSlow: 1, attentionFactor: nil, isTruncated: true)
        #expect(try read(["rope_scaling": yarn]).rope.scaling == .yarn(expected))
        let ratio = #"{"rope_type": "yarn", "original_max_position_embeddings": 16}"#
        #expect(try read(["rope_scaling": ratio]).rope.scaling == .yarn(expected))
    }

    @Test("windows say which layers have them")
    func windows() throws {
        let all = try #require(try read(["sliding_window": "40"]).slidingWindow)
        #expect(all.size == 40 && all.layers == .all && all.isEnabled == nil)
        let upper = try #require(
            try read(["sliding_window": "40", "use_sliding_window": "true", "max_window_layers": "2"]).slidingWindow)
        #expect((0..<4).map(upper.covers) == [false, false, true, true] && upper.isEnabled == true)
        let types = #"["full_attention", "sliding_attention", "full_attention", "sliding_attention"]"#
        let each = try #require(try read(["sliding_window": "40", "layer_types": types]).slidingWindow)
        #expect((0..<5).map(each.covers) == [false, true, false, true, false])
        #expect(try read(["sliding_window": "null"]).slidingWindow == nil)
    }

    @Test("the generation configuration comes before the model's")
    func generation() throws {
        let parameters = try read(
            ["eos_token_id": "2", "bos_token_id": "1"],
            generation: #"{"eos_token_id": [5, 3], "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95}"#)
        #expect(parameters.eosTokenIDs == [5, 3] && parameters.bosTokenID == 1)
        #expect(parameters.generation.isSampling == true && parameters.generation.temperature == 0.6)
        #expect(parameters.generation.topK == 20 && parameters.generation.topP == 0.95)
        #expect(parameters.generation.minP == nil)
    }

    @Test(
        "values that no model has are refused by key",
        arguments: [
            ("num_hidden_layers", "2147483648"), ("num_hidden_layers", "0"), ("hidden_size", "-1"),
            ("hidden_size", "8.5"), ("num_attention_heads", "3"), ("vocab_size", "\"6\""), ("rms_norm_eps", "NaN"),
            ("rms_norm_eps", "1e999"), ("rope_theta", "0"), ("head_dim", "1000000000000"), ("eos_token_id", "[-1]"),
            ("partial_rotary_factor", "0.75"), ("partial_rotary_factor", "2"), ("sliding_window", "-4"),
            ("layer_types", "[1]"), ("tie_word_embeddings", "1"), ("quantization_config", "{}"),
        ])
    func refuses(key: String, value: String) throws {
        var changes = [key: value]
        if key == "layer_types" { changes["sliding_window"] = "4" }
        let error = try #require(throws: ModelFileError.self) { try read(changes) }
        #expect(error.file == "config.json" && error.field == key, "\(error)")
    }

    @Test("unknown kinds of scaling are refused with the known ones", arguments: ["dynamic", "longrope", "x"])
    func refusesScaling(type: String) throws {
        let error = try #require(throws: ModelFileError.self) {
            try read(["rope_scaling": "{\"rope_type\": \"\(type)\", \"factor\": 2.0}"])
        }
        #expect(error.description.contains("default, linear, llama3 or yarn, got \(type)"))
    }

    @Test("GGUF keys say the same")
    func gguf() throws {
        var builder = GGUFBytes.tinyModel()
        builder.key("llama.rope.scaling.type", "yarn")
        builder.key("llama.rope.scaling.factor", float: 4)
        builder.key("llama.rope.scaling.original_context_length", 16)
        builder.key("llama.attention.sliding_window", 12)
        builder.key("general.sampling.temp", float: 0.5)
        builder.key("general.sampling.top_k", type: 5, GGUFBytes.little(Int32(10)))
        builder.key("tokenizer.ggml.eos_token_id", 2)
        builder.key("tokenizer.ggml.eot_token_id", 3)
        let parameters = try ModelFile.open(bytes: builder.bytes, name: "m.gguf").hyperparameters()
        #expect(
            parameters.rope.scaling
                == .yarn(
                    YarnScaling(
                        factor: 4, originalContextLength: 16, betaFast: 32, betaSlow: 1, attentionFactor: nil,
                        isTruncated: true)))
        #expect(parameters.slidingWindow == SlidingWindow(size: 12, layers: .all))
        #expect(parameters.generation.temperature == 0.5 && parameters.generation.topK == 10)
        #expect(parameters.eosTokenIDs == [2, 3] && parameters.vocabularySize == 6 && parameters.headDim == 4)
    }

    @Test(
        "heads of one dimension are refused", arguments: ["llama.attention.key_length", "llama.attention.head_count"])
    func smallHeads(key: String) throws {
        var builder = GGUFBytes()
        builder.key("general.architecture", "llama")
        builder.key("llama.embedding_length", 2)
        builder.key("llama.block_count", 1)
        builder.key("llama.attention.head_count", key.hasSuffix("count") ? 2 : 1)
        if key.hasSuffix("length") { builder.key(key, 1) }
        let file = try ModelFile.open(bytes: builder.bytes, name: "m.gguf")
        let error = try #require(throws: ModelFileError.self) { try file.hyperparameters() }
        #expect(error.field == key)
    }

    @Test("a block count beyond the tensors of a whole file is refused", arguments: [2000, 1 << 31])
    func blockCount(count: UInt32) throws {
        var builder = GGUFBytes()
        builder.key("general.architecture", "llama")
        builder.key("llama.attention.head_count", 1)
        builder.key("llama.embedding_length", 4)
        builder.key("llama.block_count", count)
        builder.tensor("token_embd.weight", sizes: [4, 4], byteCount: 64)
        let file = try ModelFile.open(bytes: builder.bytes, name: "m.gguf")
        let error = try #require(throws: ModelFileError.self) { try file.hyperparameters() }
        #expect(error.field == "llama.block_count" && error.got == "\(count)")
    }
}
