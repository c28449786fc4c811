import ModelFiles

/// The tokenizer's metadata in a GGUF file, checked.
private struct GGUFVocabulary {
    /// `tokenizer.ggml.token_type`.
    enum Kind: Int {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    let metadata: GGUFMetadata
    let model: String
    let tokens: [String]
    let kinds: [Kind]

    init(_ metadata: GGUFMetadata) throws(ModelFileError) {
        self.metadata = metadata
        guard let model = try metadata.string("tokenizer.ggml.model"),
            let tokens = try metadata.strings("tokenizer.ggml.tokens")
        else {
            throw metadata.missing(
                "tokenizer.ggml.tokens", "a vocabulary", hint: "of a split model, give the first file or the folder")
        }
        self.model = model
        self.tokens = tokens
        let numbers = try metadata.integers("tokenizer.ggml.token_type") ?? []
        guard numbers.isEmpty || numbers.count == tokens.count else {
            throw ModelFileError(
                .mismatch, file: metadata.file, field: "tokenizer.ggml.token_type",
                expected: "\(tokens.count) types, one for each token", got: "\(numbers.count)")
        }
        kinds = numbers.isEmpty ? tokens.map { _ in .normal } : numbers.map { Kind(rawValue: $0) ?? .normal }
    }

    func token(_ name: String) throws(ModelFileError) -> Int32? {
        try metadata.integer("tokenizer.ggml.\(name)_token_id", in: 0...max(tokens.count - 1, 0)).map(Int32.init)
    }

    func place(_ key: String) -> String { "\(metadata.file): tokenizer.ggml.\(key)" }

    /// What all kinds of vocabulary have. Tokens of kind unused have no text: they only fill the table.
    func spec(merges: TokenizerSpec.Merges, decoder: Decoder, summary: String) throws(ModelFileError) -> TokenizerSpec {
        var spec = TokenizerSpec(
            place: metadata.file, tokens: zip(tokens, kinds).map { $1 == .unused ? nil : $0 }, merges: merges,
            decoder: decoder,
            summary: summary)
        for (id, kind) in kinds.enumerated() where !tokens[id].isEmpty {
            switch kind {
            case .unknown, .control:
                spec.addedTokens.append(AddedToken(id: Int32(id), text: tokens[id], isSpecial: true))
            case .userDefined: spec.addedTokens.append(AddedToken(id: Int32(id), text: tokens[id], isSpecial: false))
            case .normal, .unused, .byte: break
            }
        }
        spec.beginToken = try token("bos")
        spec.endToken = try token("eos")
        spec.unknownToken = try token("unknown")
        let ends = [spec.endToken, try token("eot"), try token("eom")].compactMap { $0 }
        spec.endTokens = EndTokens.all(ends, among: spec.addedTokens)
        return spec
    }

    /// Sets what is put around a text.
    func surround(_ spec: inout TokenizerSpec, addsBegin: Bool) throws(ModelFileError) {
        for (key, standard, token) in [("bos", addsBegin, spec.beginToken), ("eos", false, spec.endToken)] {
            let isAsked = try metadata.bool("tokenizer.ggml.add_\(key)_token")
            guard isAsked ?? standard else { continue }
            guard let token else {
                guard isAsked == true else { continue }
                throw metadata.missing("tokenizer.ggml.\(key)_token_id", "the token that add_\(key)_token asks for")
            }
            if key == "bos" { spec.prefix = [token] } else { spec.suffix = [token] }
        }
    }
}

extension TokenizerSpec {
    /// Reads the vocabulary of a GGUF file, `tokenizer.ggml.*`.
    static func gguf(_ metadata: GGUFMetadata) throws(TokenizerError) -> TokenizerSpec {
        let vocabulary = try TokenizerError.wrapping { () throws(ModelFileError) in try GGUFVocabulary(metadata) }
        switch vocabulary.model {
        case "gpt2": return try byteLevel(vocabulary)
        case "llama":
            return try TokenizerError.wrapping { () throws(ModelFileError) in try sentencePiece(vocabulary) }
        default:
            throw TokenizerError(
                .unsupported, vocabulary.place("model"), "unknown tokenizer \(TokenizerError.quoted(vocabulary.model))",
                hint: "known are gpt2 (byte-level BPE) and llama (SentencePiece BPE)")
        }
    }

    private static func byteLevel(_ vocabulary: GGUFVocabulary) throws(TokenizerError) -> TokenizerSpec {
        let metadata = vocabulary.metadata
        let (name, lines) = try TokenizerError.wrapping { () throws(ModelFileError) in
            guard let lines = try metadata.strings("tokenizer.ggml.merges") else {
                throw metadata.missing("tokenizer.ggml.merges")
            }
            return (try metadata.string("tokenizer.ggml.pre") ?? "default", lines)
        }
        var pairs: [(String, String)] = []
        pairs.reserveCapacity(lines.count)
        for line in lines {
            guard let pair = TokenizerSpec.pair(line) else {
                throw TokenizerError(
                    .malformed, vocabulary.place("merges"),
                    "expected two tokens with a blank between, got \(TokenizerError.quoted(line))")
            }
            pairs.append(pair)
        }
        let pre = try NamedPreTokenizer.named(name, place: metadata.file)
        var spec = try TokenizerError.wrapping { () throws(ModelFileError) in
            var spec = try vocabulary.spec(
                merges: .pairs(pairs), decoder: .byteLevel, summary: "byte-level BPE (\(name))")
            try vocabulary.surround(&spec, addsBegin: pre.addsBegin)
            return spec
        }
        spec.ignoresMerges = pre.ignoresMerges
        spec.normalizers = pre.normalizers
        spec.unknownToken = nil
        for pattern in pre.patterns {
            let pattern = try Pattern(pattern, place: vocabulary.place("pre"))
            spec.preTokenizers.append(.split(.pattern(pattern), .isolated, isInverted: false))
        }
        spec.preTokenizers.append(.byteLevel)
        return spec
    }

    /// `left right`; the blank may not be the first character, which can itself be a blank's stand-in but never a blank.
    static func pair(_ line: String) -> (String, String)? {
        let utf8 = line.utf8
        guard let blank = utf8.dropFirst().firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let right = utf8[utf8.index(after: blank)...]
        return right.isEmpty ? nil : (String(Substring(utf8[..<blank])), String(Substring(right)))
    }

    private static func sentencePiece(_ vocabulary: GGUFVocabulary) throws(ModelFileError) -> TokenizerSpec {
        let metadata = vocabulary.metadata
        guard var scores = try metadata.floats("tokenizer.ggml.scores") else {
            throw metadata.missing("tokenizer.ggml.scores")
        }
        guard scores.count == vocabulary.tokens.count, !scores.contains(where: \.isNaN) else {
            throw ModelFileError(
                .mismatch, file: metadata.file, field: "tokenizer.ggml.scores",
                expected: "\(vocabulary.tokens.count) numbers, one for each token", got: "\(scores.count)")
        }
        // Only pieces of text result from merges.
        for (id, kind) in vocabulary.kinds.enumerated() where kind != .normal && kind != .userDefined {
            scores[id] = .nan
        }
        let blank = Array("▁".utf8)
        let addsBlank = try metadata.bool("tokenizer.ggml.add_space_prefix") ?? true
        var decoding = Decoder.PieceDecoding(replacements: [(blank, Array(" ".utf8))], joinsBytes: true)
        decoding.leadingCount = addsBlank ? 1 : 0
        var spec = try vocabulary.spec(
            merges: .scores(scores), decoder: .pieces(decoding), summary: "SentencePiece BPE with byte fallback")
        spec.normalizers = (addsBlank ? [.prepend(blank)] : []) + [.replaceText(Array(" ".utf8), with: blank)]
        spec.usesByteFallback = true
        spec.fusesUnknown = true
        // SentencePiece's own numbers, where the file does not say.
        let count = vocabulary.tokens.count
        spec.unknownToken = spec.unknownToken ?? (vocabulary.kinds.firstIndex(of: .unknown).map(Int32.init))
        if spec.beginToken == nil, count > 1, vocabulary.kinds[1] == .control { spec.beginToken = 1 }
        if spec.endToken == nil, count > 2, vocabulary.kinds[2] == .control {
            spec.endToken = 2
            spec.endTokens.insert(2)
        }
        try vocabulary.surround(&spec, addsBegin: true)
        return spec
    }
}
