import ModelFiles
import Sharding

/// `POST /v1/chat/completions`.
struct ChatRequest: Sendable, Hashable {
    struct Message: Sendable, Hashable {
        var role: String
        var content: String
        var name: String?
    }

    var messages: [Message]
    var fields: GenerationFields

    private static let roles = ["system", "developer", "user", "assistant"]
    private static let notYet: [(name: String, harmless: [JSONValue])] = [
        ("tools", [.array([])]), ("tool_choice", [.string("none"), .string("auto")]), ("functions", [.array([])]),
        ("function_call", [.string("none"), .string("auto")]), ("parallel_tool_calls", [.bool(false), .bool(true)]),
        ("response_format", [.object(JSONObject(["type": .string("text")]))]),
        ("modalities", [.array([.string("text")])]),
        ("audio", []), ("prediction", []), ("reasoning_effort", []), ("verbosity", []), ("web_search_options", []),
        ("chat_template", []), ("chat_template_kwargs", [.object(JSONObject())]),
    ]

    init(
        _ body: JSONValue, defaults: SamplingParameters, vocabularySize: Int, seed: UInt64
    ) throws(ServingError) {
        let reader = try FieldReader(body)
        try reader.refuseUnknown(
            known: GenerationFields.known + GenerationFields.withoutEffect + Self.notYet.map(\.name) + [
                "messages", "max_completion_tokens", "top_logprobs",
            ])
        try GenerationFields.refuseNotYet(reader, Self.notYet)
        messages = try Self.messages(try reader.required("messages"))
        fields = try GenerationFields(reader, defaults: defaults, vocabularySize: vocabularySize, seed: seed)
        // `max_completion_tokens` is the newer name; where both stand, it is meant.
        if let maxTokens = try reader.integer("max_completion_tokens", in: 1...Int(Int32.max)) {
            fields.maxTokens = maxTokens
        }
        fields.reportsLogprobs = try reader.bool("logprobs") ?? false
        if let count = try reader.integer("top_logprobs", in: 0...FieldLimits.topLogprobsMax) {
            guard fields.reportsLogprobs else {
                throw ServingError(.invalidValue, "top_logprobs", "only together with \"logprobs\": true")
            }
            fields.sampling.topLogprobCount = count
        }
    }

    static func messages(_ value: JSONValue) throws(ServingError) -> [Message] {
        guard case .array(let values) = value else { throw .expected("an array", got: value.kind, "messages") }
        guard (1...FieldLimits.messagesMax).contains(values.count) else {
            throw .expected("1 to \(FieldLimits.messagesMax) messages", got: "\(values.count)", "messages")
        }
        var messages: [Message] = []
        for (index, value) in values.enumerated() {
            messages.append(try message(FieldReader(value, at: "messages[\(index)]")))
        }
        return messages
    }

    private static func message(_ reader: FieldReader) throws(ServingError) -> Message {
        guard case .string(let role) = try reader.required("role") else {
            throw .expected("a string", got: reader["role"]?.kind ?? "null", reader.path("role"))
        }
        if ["tool", "function"].contains(role) {
            throw ServingError(.notYet, reader.path("role"), "tools are not supported yet; leave such messages out")
        }
        guard roles.contains(role) else {
            throw .expected("one of \(roles.joined(separator: ", "))", got: "another role", reader.path("role"))
        }
        try reader.refuseUnknown(
            known: ["role", "content", "name", "tool_calls", "function_call", "refusal", "audio", "annotations"])
        try GenerationFields.refuseNotYet(
            reader,
            [
                ("tool_calls", [.array([])]), ("function_call", []), ("refusal", []), ("audio", []),
                ("annotations", [.array([])]),
            ])
        return Message(
            role: role == "developer" ? "system" : role,
            content: try content(try reader.required("content"), at: reader.path("content")),
            name: try reader.string("name"))
    }

    /// A string, or an array of text parts, whose texts follow each other.
    private static func content(_ value: JSONValue, at path: String) throws(ServingError) -> String {
        switch value {
        case .string(let text): return text
        case .array(let parts):
            guard !parts.isEmpty else { throw .expected("a text part", got: "an empty array", path) }
            var text = ""
            for (index, part) in parts.enumerated() {
                let reader = try FieldReader(part, at: "\(path)[\(index)]")
                guard try reader.string("type") == "text" else {
                    throw ServingError(
                        .notYet, reader.path("type"), "only \"text\" is supported; leave other parts out")
                }
                try reader.refuseUnknown(known: ["type", "text"])
                guard let piece = try reader.string("text") else {
                    throw ServingError(.missingField, reader.path("text"), "required, and missing")
                }
                text += piece
            }
            return text
        default: throw .expected("a string or an array of parts", got: value.kind, path)
        }
    }
}
