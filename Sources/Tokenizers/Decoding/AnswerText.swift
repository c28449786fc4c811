/// One answer's way from tokens to text: never half a character, never past a stop string.
package struct AnswerText: Sendable {
    private var detokenizer: Detokenizer?
    private var stops: StopMatcher

    /// - Parameter detokenizer: nil for a model without a tokenizer, whose answers have no text.
    package init(_ detokenizer: Detokenizer?, stops: [String]) {
        self.detokenizer = detokenizer
        self.stops = StopMatcher(stops)
    }

    /// Takes a token that has text, which an ending one has not; what may be shown now can be nothing.
    package mutating func append(_ token: Int32) -> StopMatcher.Piece {
        stops.append(detokenizer?.append(token) ?? "")
    }

    /// What was held back, when no token will follow.
    package mutating func finish() -> String {
        stops.append(detokenizer?.flush() ?? "").text + stops.flush()
    }
}
