import Sharding

/// Why a request was refused or broke off, or why the server did not start.
///
/// Its description is one line; ``status`` and ``ErrorBody`` are its forms in HTTP.
package struct ServingError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        case invalidHTTP = "invalid_http"
        case invalidJSON = "invalid_json"
        case invalidValue = "invalid_value"
        case missingField = "missing_required_parameter"
        case unknownField = "unknown_parameter"
        case notYet = "unsupported_parameter"
        case contextLengthExceeded = "context_length_exceeded"
        case modelNotFound = "model_not_found"
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case unauthorized = "invalid_api_key"
        case hostRefused = "host_refused"
        case bodyTooLarge = "request_too_large"
        case requestLineTooLong = "uri_too_long"
        case overloaded = "rate_limit_exceeded"
        case unavailable = "service_unavailable"
        case failed = "server_error"
        /// The client left or the server stops; nobody reads this one's status.
        case cancelled = "cancelled"
        /// The address cannot be listened on.
        case bind
        /// The certificate or its key cannot be used.
        case certificate
    }

    package let code: Code
    /// The request's field, or the address.
    package let place: String?
    /// What was expected and found, and what to do.
    package let message: String

    package init(_ code: Code, _ place: String? = nil, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package init(_ error: EngineError) {
        self.place = nil
        self.message = error.message
        switch error.code {
        case .invalidRequest: self.code = .invalidValue
        case .contextLengthExceeded: self.code = .contextLengthExceeded
        case .overloaded: self.code = .overloaded
        case .unavailable: self.code = .unavailable
        case .failed: self.code = .failed
        }
    }

    /// `expected X, got Y` about a field.
    static func expected(_ expected: String, got found: String, _ place: String) -> ServingError {
        ServingError(.invalidValue, place, "expected \(expected), got \(found)")
    }

    package var description: String { place.map { "\($0): \(message)" } ?? message }
}

extension ServingError {
    /// The HTTP status that says this before a response has begun.
    var status: Int {
        switch code {
        case .invalidHTTP, .invalidJSON, .invalidValue, .missingField, .unknownField, .notYet, .contextLengthExceeded:
            400
        case .unauthorized: 401
        case .hostRefused: 403
        case .modelNotFound, .notFound: 404
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .requestLineTooLong: 414
        case .overloaded: 429
        case .unavailable, .cancelled: 503
        case .failed, .bind, .certificate: 500
        }
    }

    /// Seconds after which trying again makes sense.
    var retryAfterSeconds: Int? {
        switch code {
        case .overloaded: 1
        case .unavailable: 2
        default: nil
        }
    }
}
