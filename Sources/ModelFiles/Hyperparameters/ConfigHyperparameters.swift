/// Reads hyperparameters from a Hugging Face `config.json` and `generation_config.json`, in old and current spelling.
struct ConfigHyperparameters {
    private typealias Limits = ModelHyperparameters.Limits

    private let fields: ConfigFields
    private let generation: ConfigFields?

    init(_ fields: ConfigFields, _ generationConfig: JSONValue?) {
        self.fields = fields
        generation = generationConfig?.objectValue.map { ConfigFields($0, file: "generation_config.json") }
    }

    func read() throws(ModelFileError) -> ModelHyperparameters {
        if fields.value("quantization_config") != nil {
            throw fields.error(
                "quantization_config", "weights in f32, f16 or bf16", got: "a quantized checkpoint",
                hint: "use the unquantized model, or a GGUF file of it")
        }
        let headCount = try fields.required("num_attention_heads", in: Limits.heads)
        let hiddenSize = try fields.required("hidden_size", in: Limits.hidden)
        let blockCount = try fields.required("num_hidden_layers", in: Limits.blocks)
        let headDim = try headDim(hiddenSize, headCount)
        let contextLength = try fields.required("max_position_embeddings", in: Limits.context)
        guard let epsilon = try fields.float("rms_norm_eps") else { throw fields.missing("rms_norm_eps") }
        guard epsilon >= 0, epsilon < 1 else {
            throw fields.error("rms_norm_eps", "a number from 0 to 1", got: "\(epsilon)")
        }
        return ModelHyperparameters(
            architecture: try fields.string("model_type") ?? "",
            modelClass: try modelClass(),
            blockCount: blockCount,
            hiddenSize: hiddenSize,
            feedForwardSize: try fields.required("intermediate_size", in: Limits.feedForward),
            headCount: headCount,
            keyValueHeadCount: try fields.integer("num_key_value_heads", in: Limits.heads) ?? headCount,
            headDim: headDim,
            normEpsilon: epsilon,
            rope: try rope(headDim, contextLength),
            contextLength: contextLength,
            vocabularySize: try fields.required("vocab_size", in: Limits.vocabulary),
            activation: try fields.string("hidden_act"),
            slidingWindow: try slidingWindow(blockCount),
            isEmbeddingTied: try fields.bool("tie_word_embeddings"),
            hasAttentionBias: try fields.bool("attention_bias"),
            hasFeedForwardBias: try fields.bool("mlp_bias"),
            experts: try experts(),
            bosTokenID: try tokenIDs("bos_token_id").first,
            eosTokenIDs: try tokenIDs("eos_token_id"),
            generation: try generationDefaults())
    }

    private func experts() throws(ModelFileError) -> ExpertParameters? {
        let mixtral = try fields.integer("num_local_experts", in: Limits.experts)
        let qwen = try fields.integer("num_experts", in: Limits.experts)
        guard let count = mixtral ?? qwen, count > 0 else { return nil }
        let own = "moe_intermediate_size"
        var experts = ExpertParameters(
            count: count, usedCount: try fields.required("num_experts_per_tok", in: 1...count),
            feedForwardSize: try fields.required(
                fields.value(own) == nil ? "intermediate_size" : own, in: Limits.feedForward),
            isNormalized: try fields.bool("norm_topk_prob"))
        experts.layerStep = try fields.integer("decoder_sparse_step", in: Limits.blocks) ?? 1
        if let dense = fields.value("mlp_only_layers") {
            let layers = dense.arrayValue?.compactMap(\.integerValue)
            guard let layers, layers.count == dense.arrayValue?.count else {
                throw fields.error("mlp_only_layers", "an array of layers", got: dense.summary)
            }
            experts.denseLayers = Set(layers)
        }
        return experts
    }

    private func modelClass() throws(ModelFileError) -> String {
        if let name = fields.value("architectures")?.arrayValue?.first?.stringValue { return name }
        guard let name = try fields.string("model_type") else { throw fields.missing("architectures") }
        return name
    }

    private func headDim(_ hiddenSize: Int, _ headCount: Int) throws(ModelFileError) -> Int {
        if let headDim = try fields.integer("head_dim", in: Limits.headDim) { return headDim }
        guard hiddenSize % headCount == 0, Limits.headDim.contains(hiddenSize / headCount) else {
            throw fields.error("num_attention_heads", "a divisor of hidden_size \(hiddenSize)", got: "\(headCount)")
        }
        return hiddenSize / headCount
    }

    private func rope(_ headDim: Int, _ contextLength: Int) throws(ModelFileError) -> RopeParameters {
        let current = try fields.fields("rope_parameters")
        if let current, current.hasNestedObjects {
            throw fields.error("rope_parameters", "one set for all layers", got: "a set for each kind of layer")
        }
        let old = try fields.fields("rope_scaling")
        let (base, oldBase) = (try current?.positive("rope_theta"), try fields.positive("rope_theta"))
        let key = "partial_rotary_factor"
        let (part, oldPart) = (try current?.positive(key), try fields.positive(key))
        let dimensions = Float(headDim) * (part ?? oldPart ?? 1)
        guard dimensions >= 2, dimensions <= Float(headDim), Int(dimensions) % 2 == 0 else {
            throw fields.error(
                "partial_rotary_factor", "an even number of the \(headDim) dimensions of a head", got: "\(dimensions)")
        }
        return RopeParameters(
            base: base ?? oldBase ?? 10_000, dimensionCount: Int(dimensions),
            scaling: try (current ?? old)?.ropeScaling(contextLength: contextLength) ?? .none)
    }

    private func slidingWindow(_ blockCount: Int) throws(ModelFileError) -> SlidingWindow? {
        guard let size = try fields.integer("sliding_window", in: 0...Limits.window.upperBound), size > 0 else {
            return nil
        }
        var layers = SlidingWindow.Layers.all
        if let types = fields.value("layer_types") {
            layers = .each(try windowLayers(types, blockCount))
        } else if let first = try fields.integer("max_window_layers", in: 0...(1 << 20)) {
            layers = .from(first)
        }
        return SlidingWindow(size: size, layers: layers, isEnabled: try fields.bool("use_sliding_window"))
    }

    private func windowLayers(_ types: JSONValue, _ blockCount: Int) throws(ModelFileError) -> [Bool] {
        guard let names = types.arrayValue, names.count == blockCount else {
            throw fields.error("layer_types", "an array of \(blockCount)", got: types.summary)
        }
        var claims: [Bool] = []
        for name in names {
            guard let kind = name.stringValue, kind == "full_attention" || kind == "sliding_attention" else {
                throw fields.error("layer_types", "full_attention or sliding_attention", got: name.summary)
            }
            claims.append(kind == "sliding_attention")
        }
        return claims
    }

    /// One id or several; the generation configuration comes first, as its makers intend.
    private func tokenIDs(_ key: String) throws(ModelFileError) -> [Int] {
        for source in [generation, fields] {
            guard let source, let value = source.value(key) else { continue }
            var ids: [Int] = []
            for id in value.arrayValue ?? [value] {
                guard let number = id.integerValue, Limits.token.contains(number) else {
                    throw source.error(key, "a token id, or an array of them", got: id.summary)
                }
                if !ids.contains(number) { ids.append(number) }
            }
            return ids
        }
        return []
    }

    private func generationDefaults() throws(ModelFileError) -> GenerationDefaults {
        var defaults = GenerationDefaults()
        guard let generation else { return defaults }
        defaults.isSampling = try generation.bool("do_sample")
        defaults.temperature = try generation.float("temperature")
        defaults.topK = try generation.integer("top_k", in: Int(Int32.min)...Int(Int32.max))
        defaults.topP = try generation.float("top_p")
        defaults.minP = try generation.float("min_p")
        defaults.repetitionPenalty = try generation.float("repetition_penalty")
        return defaults
    }
}

extension ConfigFields {
    /// Reads these fields as `rope_scaling`.
    fileprivate func ropeScaling(contextLength: Int) throws(ModelFileError) -> RopeParameters.Scaling {
        let (current, old) = (try string("rope_type"), try string("type"))
        let type = current ?? old ?? "default"
        switch type {
        case "default": return .none
        case "linear": return .linear(factor: try requiredFactor("factor"))
        case "llama3":
            let low = try requiredFactor("low_freq_factor")
            let high = try requiredFactor("high_freq_factor")
            guard high > low else {
                throw error("high_freq_factor", "more than low_freq_factor \(low)", got: "\(high)")
            }
            return .llama3(
                factor: try requiredFactor("factor"), lowFrequencyFactor: low, highFrequencyFactor: high,
                originalContextLength: try required(
                    "original_max_position_embeddings", in: ModelHyperparameters.Limits.context))
        case "yarn": return .yarn(try yarn(contextLength))
        default: throw error("rope_type", "default, linear, llama3 or yarn", got: type)
        }
    }

    private func requiredFactor(_ key: String) throws(ModelFileError) -> Float {
        guard let factor = try positive(key) else { throw missing(key) }
        return factor
    }

    private func yarn(_ contextLength: Int) throws(ModelFileError) -> YarnScaling {
        let original = try integer("original_max_position_embeddings", in: ModelHyperparameters.Limits.context)
        // A factor left out is the one that leads from the original context to the stated one.
        let stated = try positive("factor")
        guard let factor = stated ?? original.map({ Float(contextLength) / Float($0) }) else { throw missing("factor") }
        var attention = try positive("attention_factor")
        // DeepSeek's two magnitudes: one for the scores, one taken back from all of them.
        if attention == nil, let scale = try positive("mscale"), let scaleAll = try positive("mscale_all_dim") {
            attention = Self.magnitude(factor, scale) / Self.magnitude(factor, scaleAll)
        }
        return YarnScaling(
            factor: factor, originalContextLength: original ?? contextLength,
            betaFast: try positive("beta_fast") ?? 32, betaSlow: try positive("beta_slow") ?? 1,
            attentionFactor: attention, isTruncated: try bool("truncate") ?? true)
    }

    private static func magnitude(_ factor: Float, _ scale: Float) -> Float {
        factor <= 1 ? 1 : Float(0.1 * Double(scale) * naturalLogarithm(Double(factor)) + 1)
    }
}
