/// What models of one architecture have in common, as a value; mechanisms are chosen by it, no code asks for its name.
package struct ModelFamily: Sendable {
    /// Which of query, key, value and output carry a bias. What a configuration would state, GGUF shows by its tensors.
    enum AttentionBias: Sendable {
        case none
        /// All four, when `attention_bias` is true.
        case stated
        /// Query, key and value, always.
        case queryKeyValue
    }

    /// When the window that a configuration states is in force.
    enum WindowRule: Sendable {
        case ignored
        case always
        /// Only when `use_sliding_window` is true.
        case whenEnabled
    }

    /// How a family's experts are named and weighed.
    struct ExpertRule: Sendable {
        /// In Hugging Face folders.
        var names: ExpertNaming
        /// Whether the shares of a row's experts sum to 1, where a file does not say.
        var isNormalized: Bool
    }

    package let name: String
    /// Values of `general.architecture`; a family without one is stored as another.
    package let ggufArchitectures: [String]
    /// Values of `model_type`.
    package let modelTypes: [String]
    /// How GGUF files pair dimensions; Hugging Face always pairs halves.
    let ggufPairing: RotarySpec.Pairing
    let attentionBias: AttentionBias
    /// RMSNorm over each head of queries and keys.
    let hasHeadNorms: Bool
    let window: WindowRule
    /// nil in families without mixtures of experts.
    var experts: ExpertRule?

    /// All families. A new one is a value of its own and a line here.
    package static let all: [ModelFamily] = [llama, mistral, mixtral, qwen2, qwen3, qwen3moe]
}
