/// Text to token ids and back.
package final class Tokenizer: Sendable {
    /// Ids are below this; a few of them may have no token.
    package let vocabularySize: Int
    /// What a text begins with, whether or not the model adds it by itself.
    package let beginToken: Int32?
    /// What ends an answer as the tokenizer's files name it; ``endTokens`` holds all.
    package let endToken: Int32?
    /// Tokens after which generation ends.
    package let endTokens: Set<Int32>
    /// Put before and after a text by `addSpecial`.
    package let prefix: [Int32]
    package let suffix: [Int32]
    /// Source of the model's chat template, where the tokenizer's files hold one.
    package let chatTemplate: String?
    /// One phrase for people: `byte-level BPE (llama-bpe)`.
    package let summary: String

    let decoder: Decoder
    private let place: String
    private let tokens: [String?]
    private let model: BytePairModel
    private let normalizers: [Normalizer]
    private let preTokenizers: [PreTokenizer]
    private let rawMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher
    private let specialTokens: Set<Int32>

    /// A text at most; prompts are far shorter.
    package static let textBytesMax = 1 << 28

    init(_ spec: TokenizerSpec) throws(TokenizerError) {
        place = spec.place
        tokens = spec.tokens
        vocabularySize = max(spec.tokens.count, spec.paddedCount)
        beginToken = spec.beginToken
        endToken = spec.endToken
        endTokens = spec.endTokens
        prefix = spec.prefix
        suffix = spec.suffix
        chatTemplate = spec.chatTemplate
        summary = spec.summary
        decoder = spec.decoder
        normalizers = spec.normalizers
        preTokenizers = spec.preTokenizers
        rawMatcher = AddedTokenMatcher(spec.addedTokens.filter { !$0.isNormalized })
        normalizedMatcher = AddedTokenMatcher(try Self.normalized(spec))
        specialTokens = Set(spec.addedTokens.lazy.filter(\.isSpecial).map(\.id))
        model = try BytePairModel(spec)
    }

    /// The tokens that are looked for in normalised text, as they look there.
    private static func normalized(_ spec: TokenizerSpec) throws(TokenizerError) -> [AddedToken] {
        var tokens = spec.addedTokens.filter(\.isNormalized)
        for place in tokens.indices {
            var text = Array(tokens[place].text.utf8)
            for normalizer in spec.normalizers { text = try normalizer.apply(to: text) }
            tokens[place].text = String(decoding: text, as: UTF8.self)
        }
        return tokens
    }

    /// - Parameters:
    ///   - addSpecial: whether to put before and after it what the model wants (``prefix``, ``suffix``).
    ///   - parseSpecial: whether special tokens written in the text become those tokens.
    package func encode(
        _ text: String, addSpecial: Bool = true, parseSpecial: Bool = true
    ) throws(TokenizerError) -> [Int32] {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.textBytesMax else {
            throw TokenizerError(
                .limit, "text", "\(bytes.count) bytes, at most \(Self.textBytesMax) are encoded at once")
        }
        var ids = addSpecial ? prefix : []
        for part in rawMatcher.split(bytes[...], withSpecial: parseSpecial) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let range):
                try encode(bytes[range], isStart: range.lowerBound == 0, parseSpecial, into: &ids)
            }
        }
        if addSpecial { ids.append(contentsOf: suffix) }
        return ids
    }

    private func encode(
        _ segment: ArraySlice<UInt8>, isStart: Bool, _ parseSpecial: Bool, into ids: inout [Int32]
    ) throws(TokenizerError) {
        var text = Array(segment)
        for normalizer in normalizers { text = try normalizer.apply(to: text) }
        for part in normalizedMatcher.split(text[...], withSpecial: parseSpecial) {
            switch part {
            case .token(let id): ids.append(id)
            case .text(let range):
                var pieces = Pieces(Array(text[range]))
                for step in preTokenizers {
                    pieces = try step.apply(to: pieces, isStart: isStart && range.lowerBound == 0)
                }
                pieces.text.withUnsafeBufferPointer { bytes in
                    for range in pieces.ranges {
                        model.encode(UnsafeBufferPointer(rebasing: bytes[range]), into: &ids)
                    }
                }
            }
        }
    }

    /// - Parameter skipSpecial: leaves special tokens out of the text.
    /// - Throws: for ids that are not below ``vocabularySize``.
    package func decode(_ ids: [Int32], skipSpecial: Bool = false) throws(TokenizerError) -> String {
        var detokenizer = detokenizer(skipSpecial: skipSpecial)
        var text = ""
        for (place, id) in ids.enumerated() {
            guard id >= 0, id < vocabularySize else {
                throw TokenizerError(
                    .unknownToken, "token \(place)", "expected an id below \(vocabularySize), got \(id)")
            }
            text += detokenizer.append(id)
        }
        return text + detokenizer.flush()
    }

    /// For tokens that arrive one by one.
    ///
    /// - Parameter isContinuation: the tokens go on after a text, so a leading blank belongs to it. SentencePiece
    ///   vocabularies drop it from a text of its own.
    package func detokenizer(skipSpecial: Bool = true, isContinuation: Bool = false) -> Detokenizer {
        Detokenizer(self, skipsSpecial: skipSpecial, isContinuation: isContinuation)
    }

    /// A token as its vocabulary spells it; nil where there is none.
    package func text(of token: Int32) -> String? {
        token >= 0 && token < tokens.count ? tokens[Int(token)] : nil
    }

    /// The token with this spelling.
    package func token(of text: String) -> Int32? { model.index.id(of: text) }

    package func isSpecial(_ token: Int32) -> Bool { specialTokens.contains(token) }
}
