import ModelFiles

extension TokenizerSpec {
    /// Reads tokenizer.json.
    ///
    /// - Parameters:
    ///   - config: tokenizer_config.json beside it, where there is one: names BOS and EOS.
    static func json(_ file: TokenizerJSON, config: JSONValue?) throws(TokenizerError) -> TokenizerSpec {
        let parts = TokenizerJSONParts(file: file)
        try parts.checkModel()
        let added = try parts.addedTokens()
        var spec = TokenizerSpec(
            place: file.place, tokens: try file.tokens(added), merges: .pairs(file.merges),
            decoder: try parts.decoder(), summary: "")
        spec.addedTokens = added
        spec.ignoresMerges = try parts.flag("ignore_merges")
        spec.usesByteFallback = try parts.flag("byte_fallback")
        spec.fusesUnknown = try parts.flag("fuse_unk")
        spec.normalizers = try parts.normalizers()
        spec.preTokenizers = try parts.preTokenizers()
        (spec.prefix, spec.suffix) = try parts.surroundings()
        if let unknown = file.model["unk_token"]?.stringValue {
            guard let id = spec.id(of: unknown) else {
                throw file.error(
                    .malformed, "model.unk_token", "\(TokenizerError.quoted(unknown)) is not in the vocabulary")
            }
            spec.unknownToken = id
        }
        spec.beginToken = spec.token("bos_token", in: config) ?? spec.prefix.first
        spec.endToken = spec.token("eos_token", in: config)
        spec.endTokens = EndTokens.all([spec.endToken].compactMap { $0 }, among: added)
        spec.summary =
            if case .byteLevel = spec.decoder { "byte-level BPE" } else if spec.usesByteFallback {
                "SentencePiece BPE with byte fallback"
            } else { "BPE" }
        return spec
    }

    private func id(of text: String) -> Int32? {
        tokens.firstIndex { $0.map { ExactString($0) == ExactString(text) } ?? false }.map(Int32.init)
    }

    /// A token that tokenizer_config.json names: a string, or an object with `content`.
    private func token(_ key: String, in config: JSONValue?) -> Int32? {
        guard let value = config?[key], let text = value.stringValue ?? value["content"]?.stringValue else {
            return nil
        }
        return id(of: text)
    }
}
