/// Makes safetensors files out of any header, right or wrong.
enum SafetensorsBytes {
    static func file(header: String, dataCount: Int, length: UInt64? = nil) -> [UInt8] {
        GGUFBytes.little(length ?? UInt64(header.utf8.count)) + Array(header.utf8)
            + (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// The tensors of a Llama of one layer, f32 and f16.
    static func tinyModel() -> [UInt8] {
        var entries: [String] = ["\"__metadata__\":{\"format\":\"pt\"}"]
        var end = 0
        func add(_ name: String, _ shape: [Int], _ type: String = "F32", bytes: Int = 4) {
            let start = end
            end += shape.reduce(bytes, *)
            entries.append("\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}")
        }
        add("model.embed_tokens.weight", [6, 8], "F16", bytes: 2)
        let layer = "model.layers.0."
        for (name, shape) in [
            ("input_layernorm", [8]), ("self_attn.q_proj", [8, 8]), ("self_attn.k_proj", [4, 8]),
            ("self_attn.v_proj", [4, 8]), ("self_attn.o_proj", [8, 8]), ("post_attention_layernorm", [8]),
            ("mlp.gate_proj", [8, 8]), ("mlp.up_proj", [8, 8]), ("mlp.down_proj", [8, 8]),
        ] as [(String, [Int])] {
            add("\(layer)\(name).weight", shape)
        }
        add("model.norm.weight", [8])
        return file(header: "{\(entries.joined(separator: ","))}  ", dataCount: end)
    }

    static let tinyConfig = """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "intermediate_size": 8,
         "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 64,
         "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "vocab_size": 6, "hidden_act": "silu",
         "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": [1, 2], "torch_dtype": "float32"}
        """
}
