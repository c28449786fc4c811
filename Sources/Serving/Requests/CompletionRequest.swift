import ModelFiles
import Sharding

/// `POST /v1/completions`.
struct CompletionRequest: Sendable, Hashable {
    enum Prompt: Sendable, Hashable {
        /// Raw text; what the model adds in front of a text is added.
        case text(String)
        /// Taken as they are.
        case tokens([TokenID])
    }

    var prompts: [Prompt]
    /// Answers begin with the prompt's text.
    var echoes: Bool
    var fields: GenerationFields

    private static let notYet: [(name: String, harmless: [JSONValue])] = [
        ("suffix", [.string("")]), ("best_of", [.integer(1)]),
        ("response_format", [.object(JSONObject(["type": .string("text")]))]),
    ]

    init(
        _ body: JSONValue, defaults: SamplingParameters, vocabularySize: Int, seed: UInt64
    ) throws(ServingError) {
        let reader = try FieldReader(body)
        try reader.refuseUnknown(
            known: GenerationFields.known + GenerationFields.withoutEffect + Self.notYet.map(\.name) + [
                "prompt", "echo",
            ])
        try GenerationFields.refuseNotYet(reader, Self.notYet)
        prompts = try Self.prompts(try reader.required("prompt"), vocabularySize: vocabularySize)
        echoes = try reader.bool("echo") ?? false
        fields = try GenerationFields(
            reader, defaults: defaults, vocabularySize: vocabularySize, seed: seed, tokensMin: echoes ? 0 : 1)
        guard prompts.count * fields.choiceCount <= FieldLimits.sequencesMax else {
            throw .expected(
                "at most \(FieldLimits.sequencesMax) answers", got: "\(prompts.count) prompts × \(fields.choiceCount)",
                "prompt")
        }
        if let count = try reader.integer("logprobs", in: 0...FieldLimits.topLogprobsMax) {
            guard !echoes else {
                throw ServingError(
                    .notYet, "logprobs", "not supported yet together with \"echo\": true; leave one of them out")
            }
            fields.reportsLogprobs = true
            fields.sampling.topLogprobCount = count
        }
    }

    private static func prompts(_ value: JSONValue, vocabularySize: Int) throws(ServingError) -> [Prompt] {
        switch value {
        case .string(let text): return [.text(text)]
        case .array(let values):
            switch values.first {
            case nil: throw .expected("a prompt", got: "an empty array", "prompt")
            case .integer, .number: return [.tokens(try tokens(values, at: "prompt", vocabularySize: vocabularySize))]
            default: break
            }
            guard values.count <= FieldLimits.sequencesMax else {
                throw .expected("at most \(FieldLimits.sequencesMax) prompts", got: "\(values.count)", "prompt")
            }
            var prompts: [Prompt] = []
            for (index, value) in values.enumerated() {
                switch value {
                case .string(let text): prompts.append(.text(text))
                case .array(let ids):
                    prompts.append(.tokens(try tokens(ids, at: "prompt[\(index)]", vocabularySize: vocabularySize)))
                default: throw .expected("a string or an array of token ids", got: value.kind, "prompt[\(index)]")
                }
            }
            return prompts
        default: throw .expected("a string or an array", got: value.kind, "prompt")
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
