import ModelFiles
import Sharding

/// `POST /tokenize`, as vLLM's and llama-server's clients send it.
struct TokenizeRequest: Sendable, Hashable {
    enum Subject: Sendable, Hashable {
        /// - Parameter parsesSpecial: special tokens that are written in the text become those tokens.
        case text(String, addsSpecial: Bool, parsesSpecial: Bool)
        case chat([ChatRequest.Message], addsSpecial: Bool, addsGenerationPrompt: Bool)
    }

    var model: String?
    var subject: Subject
    /// Where the subject stands.
    var field: String
    /// `tokens` are objects, each with its text.
    var hasPieces: Bool
    /// `token_strs` has the vocabulary's spelling of each token.
    var hasSpellings: Bool

    private static let subjects = ["content", "prompt", "messages"]
    private static let notYet: [(name: String, harmless: [JSONValue])] = [
        ("continue_final_message", [.bool(false)]), ("tools", [.array([])]), ("chat_template", []),
        ("chat_template_kwargs", [.object(JSONObject())]), ("mm_processor_kwargs", [.object(JSONObject())]),
    ]

    init(_ body: JSONValue) throws(ServingError) {
        let reader = try FieldReader(body)
        try reader.refuseUnknown(
            known: Self.subjects + Self.notYet.map(\.name) + [
                "model", "add_special", "add_special_tokens", "parse_special", "add_generation_prompt", "with_pieces",
                "return_token_strs",
            ])
        try GenerationFields.refuseNotYet(reader, Self.notYet)
        model = try reader.string("model")
        hasPieces = try reader.bool("with_pieces") ?? false
        hasSpellings = try reader.bool("return_token_strs") ?? false
        field = try Self.field(reader)
        subject = try Self.subject(reader, field)
    }

    private static func field(_ reader: FieldReader) throws(ServingError) -> String {
        let given = subjects.filter { reader[$0] != nil }
        guard given.count == 1, let name = given.first else {
            throw ServingError(
                given.isEmpty ? .missingField : .invalidValue, given.last ?? "content",
                "expected one of \(subjects.joined(separator: ", ")), got \(given.isEmpty ? "none" : "\(given.count)")")
        }
        return name
    }

    private static func subject(_ reader: FieldReader, _ name: String) throws(ServingError) -> Subject {
        // vLLM's name and llama-server's; what is usual differs with the subject.
        let (newer, older) = (try reader.bool("add_special_tokens"), try reader.bool("add_special"))
        let addsSpecial = newer ?? older ?? (name == "prompt")
        if name == "messages" {
            return .chat(
                try ChatRequest.messages(try reader.required(name)), addsSpecial: addsSpecial,
                addsGenerationPrompt: try reader.bool("add_generation_prompt") ?? true)
        }
        let text = try reader.string(name) ?? ""
        guard text.utf8.count <= FieldLimits.tokenizedBytesMax else {
            throw .expected("at most \(FieldLimits.tokenizedBytesMax) bytes", got: "\(text.utf8.count)", name)
        }
        return .text(text, addsSpecial: addsSpecial, parsesSpecial: try reader.bool("parse_special") ?? true)
    }
}

/// `POST /detokenize`.
struct DetokenizeRequest: Sendable, Hashable {
    var model: String?
    var tokens: [TokenID]

    init(_ body: JSONValue, vocabularySize: Int) throws(ServingError) {
        let reader = try FieldReader(body)
        try reader.refuseUnknown(known: ["model", "tokens"])
        model = try reader.string("model")
        guard case .array(let values) = try reader.required("tokens") else {
            throw .expected("an array of token ids", got: reader["tokens"]?.kind ?? "null", "tokens")
        }
        guard values.count <= FieldLimits.detokenizedCountMax else {
            throw .expected("at most \(FieldLimits.detokenizedCountMax) tokens", got: "\(values.count)", "tokens")
        }
        tokens =
            values.isEmpty
            ? [] : try TextPrompt.tokens(values, at: "tokens", vocabularySize: vocabularySize)
    }
}
