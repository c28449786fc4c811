extension ModelFamily {
    /// Jiang et al. 2024: Mistral with a mixture of experts. GGUF stores it as `llama`.
    static let mixtral = ModelFamily(
        name: "mixtral", ggufArchitectures: [], modelTypes: ["mixtral"], ggufPairing: .adjacent, attentionBias: .none,
        hasHeadNorms: false, window: .always, experts: ExpertRule(names: .blockSparse, isNormalized: true))
}
