/// Everything that distinguishes one layer's computation and the tensors that it reads.
///
/// A model family is a function from metadata to these; code that runs layers switches over the mechanisms in here
/// and never over a family's name.
package struct LayerSpec: Sendable, Hashable {
    package var inputNorm: NormSpec
    package var attention: AttentionSpec
    package var feedForwardNorm: NormSpec
    package var feedForward: FeedForwardSpec
}

/// The normalisation of a row: x ÷ √(mean(x²) + epsilon) × weight (RMSNorm, Zhang and Sennrich 2019).
package struct NormSpec: Sendable, Hashable {
    package var weight: String
    package var epsilon: Float
}

/// A matrix `[outputs, inputs]`, with a bias `[outputs]` where the model has one; both by tensor name.
package struct LinearSpec: Sendable, Hashable {
    package var weight: String
    package var bias: String?
    package var outputCount: Int
    package var inputCount: Int
    /// Its place where several matrices of one shape are one tensor `[count, outputs, inputs]`.
    package var stack: StackPlace?
}

extension LinearSpec {
    /// Rows of its tensor before its own.
    package var firstRow: Int { (stack?.index ?? 0) * outputCount }
}

/// One of several matrices that a file keeps as one tensor.
package struct StackPlace: Sendable, Hashable {
    package var index: Int
    package var count: Int
}

/// Grouped-query attention (Ainslie et al. 2023); `keyValueHeadCount` equals `headCount` in plain attention.
package struct AttentionSpec: Sendable, Hashable {
    package var headCount: Int
    package var keyValueHeadCount: Int
    package var headDim: Int
    package var query: LinearSpec
    package var key: LinearSpec
    package var value: LinearSpec
    package var output: LinearSpec
    /// RMSNorm over each head's `headDim` before rotation (Qwen 3).
    package var queryNorm: NormSpec?
    package var keyNorm: NormSpec?
    package var rotary: RotarySpec?
    /// Factor of scores, usually 1 ÷ √headDim.
    package var scale: Float
    /// A query sees the last `window` positions, its own included; nil sees all.
    package var window: Int?
}

/// Rotary positions (Su et al. 2021).
package struct RotarySpec: Sendable, Hashable {
    package enum Pairing: Sendable, Hashable {
        /// Dimension 2i turns with 2i + 1 (GGUF `llama`, whose query and key rows are permuted for it).
        case adjacent
        /// Dimension i turns with i + dimensionCount ÷ 2.
        case halves
    }

    package var pairing: Pairing
    /// Dimensions that turn, from the front of a head; the rest stay as they are.
    package var dimensionCount: Int
    /// Radians a position, `[dimensionCount ÷ 2]`, scaling applied.
    package var frequencies: [Float]
    /// Factor of sine and cosine (YaRN's attention scale); 1 otherwise.
    package var magnitude: Float
}

/// The part of a layer after attention.
package enum FeedForwardSpec: Sendable, Hashable {
    case gated(GatedSpec)
    case experts(ExpertsSpec)
}

/// down(silu(gate(x)) × up(x)) (Shazeer 2020, "SwiGLU").
package struct GatedSpec: Sendable, Hashable {
    package var gate: LinearSpec
    package var up: LinearSpec
    package var down: LinearSpec
}

/// A mixture of experts (Shazeer et al. 2017): each row goes to the experts with the largest logits of the router, the
/// lower index first where they are equal, and what they make of it is added in the order of their indices.
package struct ExpertsSpec: Sendable, Hashable {
    /// `[experts.count, hiddenSize]`
    package var router: LinearSpec
    package var experts: [GatedSpec]
    /// Experts that a row goes to.
    package var usedCount: Int
    /// Whether a row's shares are the softmax of its chosen experts' logits, and not of all.
    package var isNormalized: Bool
}
