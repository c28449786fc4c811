/// The numbers that describe a model, in one form for all formats; ranges checked, nothing yet compared with tensors.
package struct ModelHyperparameters: Sendable, Hashable {
    /// `general.architecture` of GGUF, `model_type` of Hugging Face.
    package var architecture: String
    /// The Hugging Face class; the GGUF architecture.
    package var modelClass: String
    package var blockCount: Int
    package var hiddenSize: Int
    package var feedForwardSize: Int
    package var headCount: Int
    package var keyValueHeadCount: Int
    package var headDim: Int
    package var normEpsilon: Float
    package var rope: RopeParameters
    /// Positions that the model was made for.
    package var contextLength: Int
    /// Rows of the embedding, padding included.
    package var vocabularySize: Int
    /// Name of the feed-forward's activation (`silu`) where the file gives one.
    package var activation: String?
    package var slidingWindow: SlidingWindow?
    /// Nil where the file does not say; the tensors do.
    package var isEmbeddingTied: Bool?
    package var hasAttentionBias: Bool?
    package var hasFeedForwardBias: Bool?
    /// Nil in a dense model.
    package var experts: ExpertParameters?
    package var bosTokenID: Int?
    /// Any of these ends an answer.
    package var eosTokenIDs: [Int]
    package var generation: GenerationDefaults

    /// Bounds that products of two sizes cannot overflow; far above any model there is.
    enum Limits {
        static let blocks = 1...4096
        static let hidden = 1...(1 << 20)
        static let feedForward = 1...(1 << 24)
        static let heads = 1...(1 << 16)
        /// A head of one dimension has nothing to rotate.
        static let headDim = 2...(1 << 14)
        static let context = 1...(1 << 31)
        static let vocabulary = 1...(1 << 26)
        static let token = 0...(1 << 26)
        static let window = 1...(1 << 31)
        static let experts = 0...(1 << 12)
    }
}

/// A mixture of experts in some of a model's layers.
package struct ExpertParameters: Sendable, Hashable {
    package var count: Int
    /// Experts that a row goes to.
    package var usedCount: Int
    /// Of one expert.
    package var feedForwardSize: Int
    /// Whether the shares of a row's experts sum to 1; nil where the file does not say.
    package var isNormalized: Bool?
    /// Every how many layers one has experts, the last of so many.
    package var layerStep = 1
    /// Layers that are dense all the same.
    package var denseLayers: Set<Int> = []

    package func isUsed(in layer: Int) -> Bool {
        (layer + 1) % layerStep == 0 && !denseLayers.contains(layer)
    }
}

/// Rotary positions as a file describes them.
package struct RopeParameters: Sendable, Hashable {
    package enum Scaling: Sendable, Hashable {
        case none
        /// All frequencies divided by the factor.
        case linear(factor: Float)
        case llama3(factor: Float, lowFrequencyFactor: Float, highFrequencyFactor: Float, originalContextLength: Int)
        case yarn(YarnScaling)
    }

    package var base: Float
    /// Dimensions of a head that turn; even.
    package var dimensionCount: Int
    package var scaling: Scaling
}

/// YaRN (Peng et al. 2023): frequencies between two bounds of turns are mixed from original and divided ones.
package struct YarnScaling: Sendable, Hashable {
    package var factor: Float
    package var originalContextLength: Int
    package var betaFast: Float
    package var betaSlow: Float
    /// Factor of sine and cosine; nil asks for 0.1 · ln(factor) + 1.
    package var attentionFactor: Float?
    /// Whether the bounds are rounded to whole dimensions.
    package var isTruncated: Bool
}

/// Attention that sees only the last `size` positions, the query's own included.
package struct SlidingWindow: Sendable, Hashable {
    package enum Layers: Sendable, Hashable {
        case all
        /// This layer and those above it.
        case from(Int)
        /// One claim a layer.
        case each([Bool])
    }

    package var size: Int
    package var layers: Layers
    /// `use_sliding_window`; nil where the file does not say.
    package var isEnabled: Bool?

    package func covers(_ layer: Int) -> Bool {
        switch layers {
        case .all: true
        case .from(let first): layer >= first
        case .each(let claims): claims.indices.contains(layer) && claims[layer]
        }
    }
}

/// How the model's makers suggest to sample; nil where the file does not say.
package struct GenerationDefaults: Sendable, Hashable {
    /// False asks for the likeliest token always.
    package var isSampling: Bool?
    package var temperature: Float?
    package var topK: Int?
    package var topP: Float?
    package var minP: Float?
    package var repetitionPenalty: Float?

    package init() {}
}

extension ModelFile {
    /// The name that families are looked up by: `general.architecture`, or `model_type` of `config.json`.
    package func architecture() throws(ModelFileError) -> String {
        switch format {
        case .gguf:
            guard let name = try metadata.string("general.architecture") else {
                throw metadata.missing("general.architecture")
            }
            return name
        case .safetensors:
            let fields = try configFields()
            guard let name = try fields.string("model_type") else { throw fields.missing("model_type") }
            return name
        }
    }

    package func hyperparameters() throws(ModelFileError) -> ModelHyperparameters {
        switch format {
        case .gguf: try GGUFHyperparameters(self).read()
        case .safetensors: try ConfigHyperparameters(configFields(), generationConfig).read()
        }
    }

    private func configFields() throws(ModelFileError) -> ConfigFields {
        guard let object = config?.objectValue else {
            throw ModelFileError(
                .missing, file: name, field: "config.json", expected: "the file beside the weights", got: "no such file"
            )
        }
        return ConfigFields(object, file: "config.json")
    }
}
