#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An error as OpenAI's clients read it.
struct ErrorBody: Encodable, Sendable {
    struct Content: Encodable, Sendable {
        var message: String
        var type: String
        var param: Nullable<String>
        var code: String
    }

    var error: Content

    init(_ error: ServingError) {
        let type =
            switch error.status {
            case 404: "not_found_error"
            case 429: "rate_limit_error"
            case 500...: "server_error"
            default: "invalid_request_error"
            }
        self.error = Content(
            message: error.description, type: type, param: Nullable(error.place), code: error.code.rawValue)
    }
}

/// Answer of `GET /v1/models`.
struct ModelList: Encodable, Sendable {
    struct Model: Encodable, Sendable {
        var id: String
        var object = "model"
        var created: Int
        var ownedBy = "local"
        /// Positions that prompt and answer share.
        var contextLength: Int
    }

    var object = "list"
    var data: [Model]
}

/// Answer of `GET /health` and `/ready`.
struct StatusBody: Encodable, Sendable {
    var status: String
}

/// Writes bodies: `snake_case` keys, sorted, so that equal answers are equal bytes.
enum BodyEncoder {
    static func encode(_ body: some Encodable) throws(ServingError) -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(body)
        } catch {
            throw ServingError(.failed, "response", "could not be written as JSON: \(error)")
        }
    }
}
