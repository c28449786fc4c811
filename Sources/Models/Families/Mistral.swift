extension ModelFamily {
    /// Jiang et al. 2023: Llama with a sliding window. GGUF stores it as `llama`.
    static let mistral = ModelFamily(
        name: "mistral", ggufArchitectures: [], modelTypes: ["mistral"], ggufPairing: .adjacent, attentionBias: .none,
        hasHeadNorms: false, window: .always)
}
