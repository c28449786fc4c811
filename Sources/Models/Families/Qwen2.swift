extension ModelFamily {
    /// Qwen 2 and 2.5 (Yang et al. 2024): biases on query, key and value.
    static let qwen2 = ModelFamily(
        name: "qwen2", ggufArchitectures: ["qwen2"], modelTypes: ["qwen2"], ggufPairing: .halves,
        attentionBias: .queryKeyValue, hasHeadNorms: false, window: .whenEnabled)
}
