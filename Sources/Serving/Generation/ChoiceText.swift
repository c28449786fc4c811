import Sharding
import Tokenizers

/// One choice's way from tokens to text, with the probabilities of its tokens where they are asked for.
struct ChoiceText {
    private let tokenizer: Tokenizer
    private let endTokens: Set<TokenID>
    private let reportsLogprobs: Bool
    private var text: AnswerText
    /// Tokens whose text is not out yet.
    private var pending: [ReportedChoice] = []

    /// - Parameter isContinuation: the answer goes on after the prompt's text, rather than being a text of its own.
    init(
        tokenizer: Tokenizer, isContinuation: Bool, endTokens: Set<TokenID>, stops: [String], reportsLogprobs: Bool
    ) {
        self.tokenizer = tokenizer
        self.endTokens = endTokens
        self.reportsLogprobs = reportsLogprobs
        text = AnswerText(tokenizer.detokenizer(skipSpecial: true, isContinuation: isContinuation), stops: stops)
    }

    /// Takes a token; an ending one has no text.
    ///
    /// - Returns: what may be shown now, which can be nothing, and whether a stop string ends the choice.
    mutating func append(_ accepted: AcceptedToken) -> (piece: TextPiece, isStopped: Bool) {
        guard !endTokens.contains(accepted.token) else { return (TextPiece(), false) }
        if reportsLogprobs { pending.append(report(accepted)) }
        let found = text.append(accepted.token)
        return (piece(found.text), found.isStopped)
    }

    /// What was held back, when no token will follow.
    mutating func finish() -> TextPiece { piece(text.finish()) }

    private mutating func piece(_ text: String) -> TextPiece {
        guard !text.isEmpty else { return TextPiece() }
        defer { pending = [] }
        return TextPiece(text: text, tokens: pending)
    }

    private func report(_ accepted: AcceptedToken) -> ReportedChoice {
        ReportedChoice(
            token: ReportedToken(
                accepted.token, logprob: accepted.logprob, bytes: tokenizer.bytes(of: accepted.token)),
            top: accepted.top.map {
                ReportedToken($0.token, logprob: $0.logprob, bytes: tokenizer.bytes(of: $0.token))
            })
    }
}

/// Text that is safe to show, with the tokens that it came from where their probabilities are asked for.
struct TextPiece: Sendable, Hashable {
    var text = ""
    var tokens: [ReportedChoice] = []

    static func += (left: inout TextPiece, right: TextPiece) {
        left.text += right.text
        left.tokens += right.tokens
    }
}
