import ModelFiles

/// Which tokenizer a model brings, without building it.
package struct TokenizerSummary: Sendable, Hashable {
    /// `byte-level BPE (llama-bpe)`, `SentencePiece BPE`, `BPE`.
    package var kind: String
    /// Tokens of its vocabulary; nil where that is not a plain list.
    package var tokenCount: Int?

    /// Nil where the model brings none, or one that cannot be read.
    init?(of model: ModelFile) {
        switch model.format {
        case .gguf: self.init(metadata: model.metadata)
        case .safetensors:
            guard let file = try? model.folder?.file("tokenizer.json") else { return nil }
            try? self.init(tokenizerJSON: file)
        }
    }

    private init?(metadata: GGUFMetadata) {
        guard let name = metadata["tokenizer.ggml.model"]?.stringValue else { return nil }
        let variant = metadata["tokenizer.ggml.pre"]?.stringValue.map { " (\($0.onOneLine))" } ?? ""
        kind =
            switch name {
            case "gpt2": "byte-level BPE" + variant
            case "llama": "SentencePiece BPE" + variant
            default: name.onOneLine + variant
            }
        tokenCount = metadata["tokenizer.ggml.tokens"]?.arrayValue?.count
    }

    /// Walks through the file once and builds nothing: a vocabulary may have hundreds of thousands of entries.
    private init?(tokenizerJSON file: MappedFile) throws(ModelFileError) {
        var reader = JSONReader(file.bytes, file: file.name)
        var found: String?
        var count: Int?
        var isFirst = true
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirst) {
            guard key == "model", reader.kind() == UInt8(ascii: "{") else {
                try reader.skipValue()
                continue
            }
            var isFirstField = true
            try reader.beginObject()
            while let field = try reader.nextKey(&isFirstField) {
                switch (field, reader.kind()) {
                case ("type", UInt8(ascii: "\"")): found = try reader.string().onOneLine
                case ("vocab", UInt8(ascii: "{")): count = try Self.countKeys(&reader)
                default: try reader.skipValue()
                }
            }
        }
        guard let found else { return nil }
        kind = found
        tokenCount = count
    }

    private static func countKeys(_ reader: inout JSONReader) throws(ModelFileError) -> Int {
        var count = 0
        var isFirst = true
        try reader.beginObject()
        while try reader.nextKey(&isFirst) != nil {
            try reader.skipValue()
            count += 1
        }
        return count
    }
}
