import ModelFiles

/// How a format names the tensors of a decoder.
struct TensorNaming: Sendable {
    /// A matrix or norm of one layer.
    enum Role: CaseIterable, Sendable {
        case inputNorm, query, key, value, output, queryNorm, keyNorm, feedForwardNorm, gate, up, down
    }

    let embedding: String
    let outputNorm: String
    /// The output matrix without its suffix; absent when the embedding serves.
    let output: String
    /// Factors of rotary frequencies; nil where the format keeps none.
    let rotaryFactors: String?
    /// What stands before a layer's index.
    private let layerPrefix: String
    private let roles: [Role: String]
    /// Tensors of a layer that older tools wrote and nobody reads: they follow from the configuration.
    let ignoredSuffixes: [String]

    init(_ format: ModelFile.Format) {
        switch format {
        case .gguf: self = .gguf
        case .safetensors: self = .huggingFace
        }
    }

    private init(
        embedding: String, outputNorm: String, output: String, rotaryFactors: String?, layerPrefix: String,
        roles: [Role: String], ignoredSuffixes: [String]
    ) {
        self.embedding = embedding
        self.outputNorm = outputNorm
        self.output = output
        self.rotaryFactors = rotaryFactors
        self.layerPrefix = layerPrefix
        self.roles = roles
        self.ignoredSuffixes = ignoredSuffixes
    }

    private static let gguf = TensorNaming(
        embedding: "token_embd.weight", outputNorm: "output_norm.weight", output: "output",
        rotaryFactors: "rope_freqs.weight", layerPrefix: "blk.",
        roles: [
            .inputNorm: "attn_norm", .query: "attn_q", .key: "attn_k", .value: "attn_v", .output: "attn_output",
            .queryNorm: "attn_q_norm", .keyNorm: "attn_k_norm", .feedForwardNorm: "ffn_norm", .gate: "ffn_gate",
            .up: "ffn_up", .down: "ffn_down",
        ],
        ignoredSuffixes: ["attn_rot_embd.weight"])

    private static let huggingFace = TensorNaming(
        embedding: "model.embed_tokens.weight", outputNorm: "model.norm.weight", output: "lm_head",
        rotaryFactors: nil, layerPrefix: "model.layers.",
        roles: [
            .inputNorm: "input_layernorm", .query: "self_attn.q_proj", .key: "self_attn.k_proj",
            .value: "self_attn.v_proj", .output: "self_attn.o_proj", .queryNorm: "self_attn.q_norm",
            .keyNorm: "self_attn.k_norm", .feedForwardNorm: "post_attention_layernorm", .gate: "mlp.gate_proj",
            .up: "mlp.up_proj", .down: "mlp.down_proj",
        ],
        ignoredSuffixes: ["self_attn.rotary_emb.inv_freq"])

    func weight(_ role: Role, _ layer: Int) -> String { weight(roles[role] ?? "", layer) }

    func weight(_ name: String, _ layer: Int) -> String { "\(layerPrefix)\(layer).\(name).weight" }

    func bias(_ role: Role, _ layer: Int) -> String { "\(layerPrefix)\(layer).\(roles[role] ?? "").bias" }

    /// The layer that a tensor belongs to, and what follows its index; nil for tensors of no layer.
    func layer(of tensor: String) -> (index: Int, suffix: Substring)? {
        guard tensor.hasPrefix(layerPrefix) else { return nil }
        let rest = tensor.dropFirst(layerPrefix.count)
        guard let dot = rest.firstIndex(of: "."), let index = Int(rest[..<dot]), index >= 0, "\(index)" == rest[..<dot]
        else { return nil }
        return (index, rest[rest.index(after: dot)...])
    }
}

/// How the tensors of a layer's experts are called, after the layer's prefix.
struct ExpertNaming: Sendable, Hashable {
    let router: String
    /// With `#` where an expert's index stands; without one, all experts are one tensor.
    let gate: String
    let up: String
    let down: String

    static let gguf = ExpertNaming(
        router: "ffn_gate_inp", gate: "ffn_gate_exps", up: "ffn_up_exps", down: "ffn_down_exps")
    static let blockSparse = ExpertNaming(
        router: "block_sparse_moe.gate", gate: "block_sparse_moe.experts.#.w1", up: "block_sparse_moe.experts.#.w3",
        down: "block_sparse_moe.experts.#.w2")
    static let feedForward = ExpertNaming(
        router: "mlp.gate", gate: "mlp.experts.#.gate_proj", up: "mlp.experts.#.up_proj",
        down: "mlp.experts.#.down_proj")
}
