import ModelFiles
import Sharding

/// A text that a request brings as it is.
enum TextPrompt: Sendable, Hashable {
    /// What the model adds in front of a text is added.
    case text(String)
    /// Taken as they are.
    case tokens([TokenID])

    /// A string, an array of token ids, or an array of either.
    static func list(
        _ value: JSONValue, at path: String, vocabularySize: Int
    ) throws(ServingError) -> [TextPrompt] {
        switch value {
        case .string(let text): return [.text(text)]
        case .array(let values):
            switch values.first {
            case nil: throw .expected("a text", got: "an empty array", path)
            case .integer, .number: return [.tokens(try tokens(values, at: path, vocabularySize: vocabularySize))]
            default: break
            }
            guard values.count <= FieldLimits.sequencesMax else {
                throw .expected("at most \(FieldLimits.sequencesMax) texts", got: "\(values.count)", path)
            }
            var prompts: [TextPrompt] = []
            for (index, value) in values.enumerated() {
                let path = "\(path)[\(index)]"
                switch value {
                case .string(let text): prompts.append(.text(text))
                case .array(let ids):
                    prompts.append(.tokens(try tokens(ids, at: path, vocabularySize: vocabularySize)))
                default: throw .expected("a string or an array of token ids", got: value.kind, path)
                }
            }
            return prompts
        default: throw .expected("a string or an array", got: value.kind, path)
        }
    }

    static func tokens(
        _ values: [JSONValue], at path: String, vocabularySize: Int
    ) throws(ServingError) -> [TokenID] {
        guard !values.isEmpty else { throw .expected("at least one token id", got: "an empty array", path) }
        var tokens: [TokenID] = []
        tokens.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            let token = try FieldReader.integer(value, in: 0...max(0, vocabularySize - 1), "\(path)[\(index)]")
            tokens.append(TokenID(token))
        }
        return tokens
    }
}
