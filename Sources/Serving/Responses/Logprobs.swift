import Sharding

/// A token as its text and its bytes, with the logarithm of its probability.
struct ReportedToken: Sendable, Hashable {
    var text: String
    var bytes: [UInt8]
    var logprob: Float

    /// JSON has no infinities; this stands for "never", as in OpenAI's interface.
    static let logprobMin: Float = -9999

    init(_ token: TokenID, logprob: Float, bytes: [UInt8]) {
        self.text = String(decoding: bytes, as: UTF8.self)
        self.bytes = bytes
        self.logprob = logprob.isFinite ? logprob : Self.logprobMin
    }
}

/// A chosen token and the most probable ones in its place.
struct ReportedChoice: Sendable, Hashable {
    var token: ReportedToken
    var top: [ReportedToken]
}

/// `logprobs` of a chat choice: one entry a token.
struct ChatLogprobs: Encodable, Sendable {
    struct Entry: Encodable, Sendable {
        var token: String
        var logprob: Float
        var bytes: [UInt8]
        var topLogprobs: [Entry]?
    }

    var content: [Entry]

    init(_ choices: [ReportedChoice]) {
        content = choices.map { choice in
            var entry = Self.entry(choice.token)
            entry.topLogprobs = choice.top.map(Self.entry)
            return entry
        }
    }

    private static func entry(_ token: ReportedToken) -> Entry {
        Entry(token: token.text, logprob: token.logprob, bytes: token.bytes)
    }
}

/// `logprobs` of a text choice: parallel arrays, one element a token.
struct TextLogprobs: Encodable, Sendable {
    var tokens: [String] = []
    var tokenLogprobs: [Float] = []
    var topLogprobs: [[String: Float]] = []
    /// Where each token's text begins in the answer, in characters of Unicode.
    var textOffset: [Int] = []

    /// - Parameter offset: characters of the answer before these tokens; counts on past them.
    init(_ choices: [ReportedChoice], offset: inout Int) {
        for choice in choices {
            tokens.append(choice.token.text)
            tokenLogprobs.append(choice.token.logprob)
            // Two tokens can have one text; the more probable stands first.
            topLogprobs.append(
                Dictionary(choice.top.map { ($0.text, $0.logprob) }, uniquingKeysWith: { first, _ in first }))
            textOffset.append(offset)
            offset += choice.token.text.unicodeScalars.count
        }
    }
}
