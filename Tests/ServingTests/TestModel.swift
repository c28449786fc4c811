import Serving
import Sharding

@testable import Tokenizers

/// A model whose tokens are single bytes, so that a character takes as many tokens as it has bytes.
enum TestModel {
    static let end: TokenID = 256

    static let tokenizer = made()

    /// - Parameter prefix: what is put before each text.
    private static func made(prefix: [TokenID] = []) -> Tokenizer {
        var tokens: [String?] = ByteAlphabet.encoded.map { String(decoding: $0, as: UTF8.self) }
        tokens.append("<end>")
        var spec = TokenizerSpec(
            place: "test", tokens: tokens, merges: .pairs([]), decoder: .byteLevel, summary: "bytes")
        spec.addedTokens = [AddedToken(id: end, text: "<end>", isSpecial: true)]
        spec.preTokenizers = [.byteLevel]
        spec.endToken = end
        spec.endTokens = [end]
        spec.prefix = prefix
        do {
            return try Tokenizer(spec)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    static func served(prefix: [TokenID] = []) throws -> ServedModel {
        ServedModel(
            tokenizer: prefix.isEmpty ? tokenizer : made(prefix: prefix), template: try ChatTemplate.named("plain"),
            endTokens: [end])
    }

    static func tokens(_ text: String) throws -> [TokenID] { try tokenizer.encode(text, addSpecial: false) }
}
