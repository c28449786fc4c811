/// Why a request has no answer, or a server cannot be asked at all.
package struct LoadFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable, CustomStringConvertible {
        /// No connection, or none any more before an answer began.
        case connection
        case timeout
        /// 429 or 503: the server has too much to do.
        case refused(Int)
        /// Another status than 200.
        case status(Int)
        /// An error in the middle of a stream.
        case errorEvent
        /// A stream that ended without `[DONE]`.
        case broken
        /// An answer that is not what it should be.
        case malformed
        /// More than is kept in memory.
        case tooLarge
        /// An open loop waits for too many answers already.
        case notSent

        package var description: String {
            switch self {
            case .connection: "connection"
            case .timeout: "timeout"
            case .refused(let status): "refused with \(status)"
            case .status(let status): "status \(status)"
            case .errorEvent: "error in the stream"
            case .broken: "stream without [DONE]"
            case .malformed: "malformed"
            case .tooLarge: "too large"
            case .notSent: "not sent"
            }
        }

        package var isRefusal: Bool { if case .refused = self { true } else { false } }
    }

    package var kind: Kind
    /// One line; may have words of the server.
    package var detail: String
    /// What a `Retry-After` asked for.
    package var retryAfter: Duration?

    package init(_ kind: Kind, _ detail: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.detail = detail
        self.retryAfter = retryAfter
    }

    package var description: String { "\(kind): \(detail)" }
}
