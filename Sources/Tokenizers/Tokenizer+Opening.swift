import ModelFiles

extension Tokenizer {
    /// Opens the tokenizer of whatever holds one: a model (GGUF file, Hugging Face folder, folder of shards), a GGUF
    /// file with a vocabulary only, a tokenizer.json, or a folder with one.
    package static func open(_ path: String) throws(TokenizerError) -> Tokenizer {
        if path.hasSuffix(".json"), path.lastPathComponent != "model.safetensors.index.json" {
            let folder = try TokenizerError.wrapping { () throws(ModelFileError) in
                try HuggingFaceFolder(path: path.parentPath)
            }
            return try Tokenizer(folder: folder, tokenizer: path.lastPathComponent)
        }
        // A folder's tokenizer needs no weights.
        if let folder = try? HuggingFaceFolder(path: path), !folder.contains("manifest.json"),
            folder.contains("tokenizer.json")
        {
            return try Tokenizer(folder: folder)
        }
        let model = try TokenizerError.wrapping { () throws(ModelFileError) in try ModelFile.open(path) }
        return try Tokenizer(model: model)
    }

    /// The tokenizer that a model's files hold.
    package convenience init(model: ModelFile) throws(TokenizerError) {
        switch model.format {
        case .gguf:
            var spec = try TokenizerSpec.gguf(model.metadata)
            spec.paddedCount = model.tensor("token_embd.weight")?.rowCount ?? 0
            let templates = try TokenizerError.wrapping { () throws(ModelFileError) in try model.chatTemplates() }
            spec.chatTemplate = Self.standard(templates)
            try self.init(spec)
        case .safetensors:
            guard let folder = model.folder else {
                throw TokenizerError(
                    .unreadable, model.name,
                    "expected tokenizer.json beside the weights, got no folder with config.json")
            }
            try self.init(folder: folder)
        }
    }

    /// The tokenizer of a Hugging Face folder, which needs no weights for that.
    package convenience init(
        folder: HuggingFaceFolder, tokenizer name: String = "tokenizer.json"
    ) throws(TokenizerError) {
        let spec = try TokenizerError.wrapping { () throws(ModelFileError) in
            guard let file = try folder.file(name) else {
                let hint =
                    folder.contains("tokenizer.model")
                    ? "convert tokenizer.model to tokenizer.json with transformers" : nil
                throw ModelFileError(
                    .missing, file: folder.path.lastPathComponent, field: name, expected: "the file",
                    got: "no such file",
                    hint: hint)
            }
            return (
                try TokenizerJSON(file.bytes, file: name), try folder.json("tokenizer_config.json"),
                try folder.json("config.json"), try folder.json("generation_config.json"), try folder.chatTemplates()
            )
        }
        try self.init(Self.spec(spec.0, config: spec.1, model: spec.2, generation: spec.3, templates: spec.4))
    }

    private static func spec(
        _ file: TokenizerJSON, config: JSONValue?, model: JSONValue?, generation: JSONValue?,
        templates: [ChatTemplateSource]
    ) throws(TokenizerError) -> TokenizerSpec {
        var spec = try TokenizerSpec.json(file, config: config)
        let ids = 0..<spec.tokens.count
        for source in [generation, model] {
            guard let value = source?["eos_token_id"] else { continue }
            let named = (value.arrayValue ?? [value]).compactMap(\.integerValue)
            spec.endTokens.formUnion(named.lazy.filter(ids.contains).map(Int32.init))
        }
        if let size = model?["vocab_size"]?.integerValue, size <= TokenizerSpec.tokensMax { spec.paddedCount = size }
        spec.chatTemplate = standard(templates)
        return spec
    }

    private static func standard(_ templates: [ChatTemplateSource]) -> String? {
        (templates.first { $0.name == ChatTemplateSource.defaultName } ?? templates.first)?.source
    }
}
