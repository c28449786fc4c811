extension ModelFamily {
    /// Qwen 3 (Yang et al. 2025): norms over the heads of queries and keys, no biases.
    static let qwen3 = ModelFamily(
        name: "qwen3", ggufArchitectures: ["qwen3"], modelTypes: ["qwen3"], ggufPairing: .halves,
        attentionBias: .stated, hasHeadNorms: true, window: .whenEnabled)
}
