import ModelFiles
import Sharding

/// `POST /v1/completions`.
struct CompletionRequest: Sendable, Hashable {
    var prompts: [TextPrompt]
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
        prompts = try TextPrompt.list(try reader.required("prompt"), at: "prompt", vocabularySize: vocabularySize)
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
}
