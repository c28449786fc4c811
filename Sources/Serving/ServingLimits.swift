/// Bounds on what a client may send and how long it may take.
package struct ServingLimits: Sendable {
    package var bodyBytesMax = 10 << 20
    package var requestLineBytesMax = 8 << 10
    package var headerBytesMax = 32 << 10
    package var headerCountMax = 100
    package var connectionsMax = 1024
    /// From accepting a connection to the end of its first request's head.
    package var headTimeout: Duration = .seconds(10)
    /// From the end of a request's head to the end of its body.
    package var bodyTimeout: Duration = .seconds(60)
    /// A connection without a request.
    package var idleTimeout: Duration = .seconds(75)
    /// A client that takes nothing off its connection for this long is dropped.
    package var writeTimeout: Duration = .seconds(50)
    /// A stream says something at least this often: a comment where there is no token.
    package var keepAlive: Duration = .seconds(10)
    /// Answers that still run this long after the server was asked to stop are ended with an error.
    package var drain: Duration = .seconds(10)

    package init() {}
}

/// Bounds of single request fields.
enum FieldLimits {
    static let jsonDepthMax = 64
    /// Values in one body, so that a short text cannot become a large tree.
    static let jsonValuesMax = 1_000_000
    /// The largest integer that JSON's readers agree on.
    static let integerMax = 1 << 53
    static let choicesMax = 8
    /// Prompts of one request times `n`.
    static let sequencesMax = 32
    static let messagesMax = 1000
    static let stopStringsMax = 16
    static let stopStringBytesMax = 256
    static let logitBiasMax = 1024
    static let topLogprobsMax = 20
    /// Of a text that is turned into tokens and no more.
    static let tokenizedBytesMax = 1 << 20
    static let detokenizedCountMax = 1 << 18
}
