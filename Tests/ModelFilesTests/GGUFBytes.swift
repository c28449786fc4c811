/// Writes GGUF files byte by byte, so that a test can get every length and count wrong.
struct GGUFBytes {
    var version: UInt32 = 3
    var keyCount: UInt64?
    var tensorCount: UInt64?
    var alignment = 32
    private var keys: [[UInt8]] = []
    private var tensors: [[UInt8]] = []
    private var data: [UInt8] = []

    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    static func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }

    mutating func key(_ name: String, type: UInt32, _ value: [UInt8]) {
        keys.append(Self.string(name) + Self.little(type) + value)
    }

    mutating func key(_ name: String, _ value: UInt32) { key(name, type: 4, Self.little(value)) }
    mutating func key(_ name: String, float value: Float) { key(name, type: 6, Self.little(value.bitPattern)) }
    mutating func key(_ name: String, _ value: String) { key(name, type: 8, Self.string(value)) }
    mutating func key(_ name: String, strings: [String]) {
        key(name, type: 9, Self.little(UInt32(8)) + Self.little(UInt64(strings.count)) + strings.flatMap(Self.string))
    }

    /// Adds a tensor whose fields can be wrong one by one; `sizes` innermost first, as in the file.
    mutating func tensor(
        _ name: String, sizes: [UInt64], type: UInt32 = 0, byteCount: Int, offset: UInt64? = nil,
        dimensionCount: UInt32? = nil
    ) {
        tensors.append(
            Self.string(name) + Self.little(dimensionCount ?? UInt32(sizes.count)) + sizes.flatMap(Self.little)
                + Self.little(type) + Self.little(offset ?? UInt64(data.count)))
        data += (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        pad(&data)
    }

    private func pad(_ bytes: inout [UInt8]) {
        while bytes.count % alignment != 0 { bytes.append(0) }
    }

    var bytes: [UInt8] {
        var bytes = Array("GGUF".utf8) + Self.little(version)
        bytes += Self.little(tensorCount ?? UInt64(tensors.count)) + Self.little(keyCount ?? UInt64(keys.count))
        bytes += keys.joined()
        bytes += tensors.joined()
        pad(&bytes)
        return bytes + data
    }

    /// A Llama of one layer and a few numbers, complete.
    static func tinyModel() -> GGUFBytes {
        var file = GGUFBytes()
        file.key("general.architecture", "llama")
        for (name, value) in [
            ("context_length", 64), ("embedding_length", 8), ("block_count", 1), ("feed_forward_length", 8),
            ("attention.head_count", 2), ("attention.head_count_kv", 1), ("rope.dimension_count", 4), ("vocab_size", 6),
        ] as [(String, UInt32)] {
            file.key("llama.\(name)", value)
        }
        file.key("llama.attention.layer_norm_rms_epsilon", float: 1e-5)
        file.key("llama.rope.freq_base", float: 10_000)
        file.key("tokenizer.ggml.tokens", strings: ["a", "b", "c", "dd", "é", ""])
        file.key(
            "tokenizer.ggml.scores", type: 9, little(UInt32(6)) + little(UInt64(6)) + [UInt8](repeating: 0, count: 24))
        file.tensor("rope_freqs.weight", sizes: [2], byteCount: 8)
        file.tensor("token_embd.weight", sizes: [8, 6], type: 1, byteCount: 96)
        for (name, sizes) in [
            ("attn_norm", [8]), ("attn_q", [8, 8]), ("attn_k", [8, 4]), ("attn_v", [8, 4]), ("attn_output", [8, 8]),
            ("ffn_norm", [8]), ("ffn_gate", [8, 8]), ("ffn_up", [8, 8]), ("ffn_down", [8, 8]),
        ] as [(String, [UInt64])] {
            file.tensor("blk.0.\(name).weight", sizes: sizes, byteCount: Int(sizes.reduce(4, *)))
        }
        file.tensor("output_norm.weight", sizes: [8], byteCount: 32)
        return file
    }
}
