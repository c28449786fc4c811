import Sharding
import Tokenizers

/// Answer of `POST /tokenize`.
struct TokenizeBody: Encodable, Sendable {
    /// A token by its id, or with its text.
    enum Token: Encodable, Sendable {
        case id(TokenID)
        case piece(Piece)

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .id(let id): try id.encode(to: encoder)
            case .piece(let piece): try piece.encode(to: encoder)
            }
        }
    }

    struct Piece: Encodable, Sendable {
        var id: TokenID
        var piece: Text
    }

    /// A string where the bytes are one, else the bytes: part of a character.
    enum Text: Encodable, Sendable {
        case string(String)
        case bytes([UInt8])

        init(_ bytes: [UInt8]) { self = String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(bytes) }

        func encode(to encoder: any Encoder) throws {
            switch self {
            case .string(let string): try string.encode(to: encoder)
            case .bytes(let bytes): try bytes.encode(to: encoder)
            }
        }
    }

    var tokens: [Token]
    var count: Int
    /// Positions that prompt and answer share.
    var maxModelLen: Int
    var tokenStrs: [String]?

    init(_ tokens: [TokenID], _ request: TokenizeRequest, _ tokenizer: Tokenizer, contextLength: Int) {
        self.tokens = tokens.map { token in
            request.hasPieces ? .piece(Piece(id: token, piece: Text(tokenizer.bytes(of: token)))) : .id(token)
        }
        count = tokens.count
        maxModelLen = contextLength
        tokenStrs = request.hasSpellings ? tokens.map { tokenizer.text(of: $0) ?? "" } : nil
    }
}

/// Answer of `POST /detokenize`: one text under the names that two kinds of clients look for.
struct DetokenizeBody: Encodable, Sendable {
    var content: String
    var prompt: String

    init(_ text: String) {
        content = text
        prompt = text
    }
}
