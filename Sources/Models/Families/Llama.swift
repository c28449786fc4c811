extension ModelFamily {
    /// Touvron et al. 2023, and what was made after it. GGUF files have query and key rows permuted, and are Mixtral's
    /// where they have experts.
    static let llama = ModelFamily(
        name: "llama", ggufArchitectures: ["llama"], modelTypes: ["llama"], ggufPairing: .adjacent,
        attentionBias: .stated, hasHeadNorms: false, window: .ignored,
        experts: ExpertRule(names: .blockSparse, isNormalized: true))
}
