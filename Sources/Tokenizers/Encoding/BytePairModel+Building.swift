extension BytePairModel {
    /// Checks a vocabulary and makes its tables.
    init(_ spec: TokenizerSpec) throws(TokenizerError) {
        guard !spec.tokens.isEmpty, spec.tokens.count <= TokenizerSpec.tokensMax else {
            throw TokenizerError(
                .malformed, spec.place,
                "vocabulary: expected 1 to \(TokenizerSpec.tokensMax) tokens, got \(spec.tokens.count)")
        }
        switch TokenIndex.make(spec.tokens) {
        case .made(let index): self.index = index
        case .duplicate(let first, let second):
            throw TokenizerError(
                .malformed, spec.place,
                "vocabulary: tokens \(first) and \(second) are both \(TokenizerError.quoted(spec.tokens[first] ?? ""))")
        }
        merges = try Self.merges(spec, index)
        ignoresMerges = spec.ignoresMerges
        unknownToken = spec.unknownToken
        fusesUnknown = spec.fusesUnknown
        byteTokens = spec.usesByteFallback ? Self.byteTokens(index) : nil
        for token in spec.prefix + spec.suffix + spec.addedTokens.map(\.id) + [spec.unknownToken ?? 0] {
            guard token >= 0, token < spec.tokens.count else {
                throw TokenizerError(
                    .malformed, spec.place,
                    "special tokens: expected ids below \(spec.tokens.count), got \(token)")
            }
        }
        for token in spec.addedTokens {
            guard !token.text.isEmpty, token.text.utf8.count <= AddedTokenMatcher.textBytesMax else {
                throw TokenizerError(
                    .malformed, spec.place,
                    "added token \(token.id): expected 1 to \(AddedTokenMatcher.textBytesMax) bytes, "
                        + "got \(token.text.utf8.count)")
            }
        }
    }

    private static func merges(_ spec: TokenizerSpec, _ index: TokenIndex) throws(TokenizerError) -> Merges {
        switch spec.merges {
        case .scores(let scores):
            guard scores.count == spec.tokens.count else {
                throw TokenizerError(
                    .malformed, spec.place,
                    "scores: expected \(spec.tokens.count), one for each token, got \(scores.count)")
            }
            return .scored(scores)
        case .pairs(let pairs):
            guard pairs.count <= TokenizerSpec.tokensMax else {
                throw TokenizerError(
                    .limit, spec.place, "merges: expected at most \(TokenizerSpec.tokensMax), got \(pairs.count)")
            }
            var table: [UInt64: Merge] = [:]
            table.reserveCapacity(pairs.count)
            for (rank, pair) in pairs.enumerated() {
                guard let left = index.id(of: pair.0), let right = index.id(of: pair.1),
                    let token = index.id(of: pair.0 + pair.1)
                else {
                    throw TokenizerError(
                        .malformed, spec.place,
                        "merges: \(rank): expected two tokens whose join is a token, got "
                            + "\(TokenizerError.quoted(pair.0)) and \(TokenizerError.quoted(pair.1))")
                }
                table[key(left, right)] = Merge(rank: Int32(rank), token: token)
            }
            return .ranked(table)
        }
    }

    /// Byte fallback needs all 256 tokens; with some missing, characters outside of the vocabulary are unknown.
    private static func byteTokens(_ index: TokenIndex) -> [Int32]? {
        let digits = Array("0123456789ABCDEF")
        let tokens = (0..<256).compactMap { index.id(of: "<0x\(digits[$0 / 16])\(digits[$0 % 16])>") }
        return tokens.count == 256 ? tokens : nil
    }
}
