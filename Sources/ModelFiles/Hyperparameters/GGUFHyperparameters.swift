/// Reads hyperparameters from GGUF metadata, whose keys begin with the architecture's name.
///
/// - SeeAlso: ggml `docs/gguf.md`; `gguf-py/gguf/constants.py` of llama.cpp for the names.
struct GGUFHyperparameters {
    private typealias Limits = ModelHyperparameters.Limits

    private let file: ModelFile
    private let metadata: GGUFMetadata
    private let architecture: String

    init(_ file: ModelFile) throws(ModelFileError) {
        self.file = file
        metadata = file.metadata
        architecture = try file.architecture()
    }

    func read() throws(ModelFileError) -> ModelHyperparameters {
        let headCount = try required("attention.head_count", in: Limits.heads)
        let hiddenSize = try required("embedding_length", in: Limits.hidden)
        let headDim = try headDim(hiddenSize, headCount)
        return ModelHyperparameters(
            architecture: architecture,
            modelClass: architecture,
            blockCount: try blockCount(),
            hiddenSize: hiddenSize,
            feedForwardSize: try required("feed_forward_length", in: Limits.feedForward),
            headCount: headCount,
            keyValueHeadCount: try integer("attention.head_count_kv", in: Limits.heads) ?? headCount,
            headDim: headDim,
            normEpsilon: try epsilon(),
            rope: try rope(headDim),
            contextLength: try required("context_length", in: Limits.context),
            vocabularySize: try vocabularySize(),
            activation: nil,
            slidingWindow: try slidingWindow(),
            isEmbeddingTied: nil,
            hasAttentionBias: nil,
            hasFeedForwardBias: nil,
            experts: try experts(),
            bosTokenID: try metadata.integer("tokenizer.ggml.bos_token_id", in: Limits.token),
            eosTokenIDs: try eosTokenIDs(),
            generation: try generation())
    }

    private func experts() throws(ModelFileError) -> ExpertParameters? {
        guard let count = try integer("expert_count", in: Limits.experts), count > 0 else { return nil }
        let own = "expert_feed_forward_length"
        return ExpertParameters(
            count: count, usedCount: try required("expert_used_count", in: 1...count),
            feedForwardSize: try required(
                metadata[key(own)] == nil ? "feed_forward_length" : own, in: Limits.feedForward),
            isNormalized: try metadata.bool(key("expert_weights_norm")))
    }

    private func key(_ suffix: String) -> String { "\(architecture).\(suffix)" }

    private func integer(_ suffix: String, in range: ClosedRange<Int>) throws(ModelFileError) -> Int? {
        try metadata.integer(key(suffix), in: range)
    }

    private func required(_ suffix: String, in range: ClosedRange<Int>) throws(ModelFileError) -> Int {
        guard let value = try integer(suffix, in: range) else { throw metadata.missing(key(suffix)) }
        return value
    }

    /// The first of these keys that is there.
    private func float(_ suffixes: String...) throws(ModelFileError) -> Float? {
        for suffix in suffixes {
            guard let number = try metadata.number(key(suffix)) else { continue }
            guard Float(number).isFinite else { throw error(suffix, "a number that fits float32", got: "\(number)") }
            return Float(number)
        }
        return nil
    }

    private func error(_ suffix: String, _ expected: String, got: String) -> ModelFileError {
        ModelFileError(.mismatch, file: metadata.file, field: key(suffix), expected: expected, got: got)
    }

    /// A whole model has at least one tensor a block; a shard keeps the count of the model that it comes from.
    private func blockCount() throws(ModelFileError) -> Int {
        let count = try required("block_count", in: Limits.blocks)
        guard metadata["shard.count"] != nil || count <= file.tensors.count else {
            throw error("block_count", "at most \(file.tensors.count), the tensors in the file", got: "\(count)")
        }
        return count
    }

    private func headDim(_ hiddenSize: Int, _ headCount: Int) throws(ModelFileError) -> Int {
        let keyLength = try integer("attention.key_length", in: Limits.headDim)
        let valueLength = try integer("attention.value_length", in: Limits.headDim)
        let headDim = keyLength ?? hiddenSize / headCount
        guard keyLength != nil || (hiddenSize % headCount == 0 && Limits.headDim.contains(headDim)) else {
            throw error("attention.head_count", "a divisor of embedding_length \(hiddenSize)", got: "\(headCount)")
        }
        guard valueLength ?? headDim == headDim else {
            throw error("attention.value_length", "\(headDim), the key length", got: "\(valueLength ?? 0)")
        }
        return headDim
    }

    private func epsilon() throws(ModelFileError) -> Float {
        let suffix = "attention.layer_norm_rms_epsilon"
        guard let epsilon = try float(suffix) else { throw metadata.missing(key(suffix)) }
        guard epsilon >= 0, epsilon < 1 else { throw error(suffix, "a number from 0 to 1", got: "\(epsilon)") }
        return epsilon
    }

    private func vocabularySize() throws(ModelFileError) -> Int {
        for name in ["token_embd.weight", "output.weight"] {
            if let tensor = file.tensor(name), Limits.vocabulary.contains(tensor.rowCount) { return tensor.rowCount }
        }
        if let size = try integer("vocab_size", in: Limits.vocabulary) { return size }
        guard let tokens = metadata["tokenizer.ggml.tokens"]?.arrayValue, Limits.vocabulary.contains(tokens.count)
        else {
            throw metadata.missing(key("vocab_size"), "the key, token_embd.weight, or a tokenizer")
        }
        return tokens.count
    }

    private func rope(_ headDim: Int) throws(ModelFileError) -> RopeParameters {
        let base = try float("rope.freq_base") ?? 10_000
        guard base > 0 else { throw error("rope.freq_base", "a number above 0", got: "\(base)") }
        let dimensionCount = try integer("rope.dimension_count", in: 2...headDim) ?? headDim
        guard dimensionCount % 2 == 0 else {
            throw error("rope.dimension_count", "an even number", got: "\(dimensionCount)")
        }
        return RopeParameters(base: base, dimensionCount: dimensionCount, scaling: try scaling())
    }

    private func scaling() throws(ModelFileError) -> RopeParameters.Scaling {
        let factor = try float("rope.scaling.factor", "rope.scale_linear") ?? 1
        guard factor > 0 else { throw error("rope.scaling.factor", "a number above 0", got: "\(factor)") }
        let type = try metadata.string(key("rope.scaling.type")) ?? (factor == 1 ? "none" : "linear")
        switch type {
        case "none", "": return .none
        case "linear": return factor == 1 ? .none : .linear(factor: factor)
        case "yarn": return .yarn(try yarn(factor))
        default: throw error("rope.scaling.type", "none, linear or yarn", got: type)
        }
    }

    private func yarn(_ factor: Float) throws(ModelFileError) -> YarnScaling {
        let original = try integer("rope.scaling.original_context_length", in: Limits.context)
        let contextLength = try required("context_length", in: Limits.context)
        let magnitude = try float("rope.scaling.attn_factor", "rope.scaling.yarn_attn_factor")
        return YarnScaling(
            factor: factor, originalContextLength: original ?? contextLength,
            betaFast: try float("rope.scaling.yarn_beta_fast") ?? 32,
            betaSlow: try float("rope.scaling.yarn_beta_slow") ?? 1,
            // The file's factor multiplies the usual one.
            attentionFactor: magnitude.map { $0 * YarnScaling.usualAttentionFactor(factor) },
            isTruncated: true)
    }

    private func slidingWindow() throws(ModelFileError) -> SlidingWindow? {
        guard let size = try integer("attention.sliding_window", in: 0...Limits.window.upperBound), size > 0 else {
            return nil
        }
        let suffix = "attention.sliding_window_pattern"
        guard let pattern = metadata[key(suffix)] else { return SlidingWindow(size: size, layers: .all) }
        guard let claims = pattern.arrayValue?.bools() else {
            throw error(suffix, "an array with true or false for each layer", got: pattern.summary)
        }
        return SlidingWindow(size: size, layers: .each(claims))
    }

    private func eosTokenIDs() throws(ModelFileError) -> [Int] {
        var ids: [Int] = []
        for name in ["eos", "eot", "eom"] {
            let id = try metadata.integer("tokenizer.ggml.\(name)_token_id", in: Limits.token)
            if let id, !ids.contains(id) { ids.append(id) }
        }
        return ids
    }

    private func generation() throws(ModelFileError) -> GenerationDefaults {
        func number(_ name: String) throws(ModelFileError) -> Float? {
            try metadata.number("general.sampling.\(name)").map(Float.init)
        }
        var defaults = GenerationDefaults()
        defaults.temperature = try number("temp")
        defaults.topK = try metadata.integer("general.sampling.top_k", in: Int(Int32.min)...Int(Int32.max))
        defaults.topP = try number("top_p")
        defaults.minP = try number("min_p")
        defaults.repetitionPenalty = try number("penalty_repeat")
        return defaults
    }
}

extension YarnScaling {
    /// 0.1 · ln(factor) + 1, and 1 where nothing is stretched (Peng et al. 2023, section 3.4).
    package static func usualAttentionFactor(_ factor: Float) -> Float {
        factor <= 1 ? 1 : Float(0.1 * naturalLogarithm(Double(factor)) + 1)
    }
}
