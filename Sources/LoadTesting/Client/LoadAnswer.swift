/// A whole answer: its text, and when its pieces came. Times count from the start of the run.
package struct LoadAnswer: Sendable, Hashable {
    /// When pieces with text came, in order. A piece is a token, mostly; some servers put several into one, and a token may have
    /// no text of its own.
    package var pieces: [Duration]
    package var text: String
    package var finishReason: String?
    /// What the server counted; nil where it does not tell.
    package var usage: Usage?

    package struct Usage: Sendable, Hashable {
        package var promptTokens: Int
        package var cachedTokens: Int
        package var generatedTokens: Int

        package init(promptTokens: Int, cachedTokens: Int, generatedTokens: Int) {
            self.promptTokens = promptTokens
            self.cachedTokens = cachedTokens
            self.generatedTokens = generatedTokens
        }
    }

    package init(pieces: [Duration], text: String, finishReason: String?, usage: Usage?) {
        self.pieces = pieces
        self.text = text
        self.finishReason = finishReason
        self.usage = usage
    }

    /// The server's count, or the pieces where it does not tell.
    package var tokenCount: Int { usage?.generatedTokens ?? pieces.count }
}
