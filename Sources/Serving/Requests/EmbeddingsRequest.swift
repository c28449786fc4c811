import ModelFiles

/// `POST /v1/embeddings`.
struct EmbeddingsRequest: Sendable, Hashable {
    enum Encoding: String, Sendable, CaseIterable {
        /// Numbers.
        case float
        /// The numbers as f32, little-endian, in base64.
        case base64
    }

    var model: String?
    var inputs: [TextPrompt]
    var encoding: Encoding

    /// What a vector's first elements alone would stand for depends on how a model was trained.
    private static let notYet: [(name: String, harmless: [JSONValue])] = [("dimensions", [])]

    init(_ body: JSONValue, vocabularySize: Int) throws(ServingError) {
        let reader = try FieldReader(body)
        try reader.refuseUnknown(
            known: GenerationFields.withoutEffect + Self.notYet.map(\.name) + ["model", "input", "encoding_format"])
        try GenerationFields.refuseNotYet(reader, Self.notYet)
        model = try reader.string("model")
        inputs = try TextPrompt.list(try reader.required("input"), at: "input", vocabularySize: vocabularySize)
        let name = try reader.string("encoding_format") ?? Encoding.float.rawValue
        guard let encoding = Encoding(rawValue: name) else {
            let known = Encoding.allCases.map(\.rawValue).joined(separator: " or ")
            throw .expected(known, got: "another", "encoding_format")
        }
        self.encoding = encoding
    }
}
