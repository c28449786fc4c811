extension ModelFamily {
    /// Qwen 3 with a mixture of experts (Yang et al. 2025). Configurations say whether shares sum to 1; GGUF files are of
    /// models where they do.
    static let qwen3moe = ModelFamily(
        name: "qwen3moe", ggufArchitectures: ["qwen3moe"], modelTypes: ["qwen3_moe"], ggufPairing: .halves,
        attentionBias: .stated, hasHeadNorms: true, window: .whenEnabled,
        experts: ExpertRule(names: .feedForward, isNormalized: true))
}
