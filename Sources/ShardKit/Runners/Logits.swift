/// What a model expects after each token of a sequence: one number for each token of its vocabulary.
public struct Logits: Sendable, Hashable {
    /// Rows, one for each token that was given.
    public let tokenCount: Int
    public let vocabularySize: Int
    /// `[tokenCount, vocabularySize]`, row-major.
    public let values: [Float]

    init(values: [Float], vocabularySize: Int) {
        self.values = values
        self.vocabularySize = vocabularySize
        tokenCount = values.count / vocabularySize
    }

    /// The row that follows a token.
    ///
    /// - Precondition: `token` is below ``tokenCount``.
    public subscript(token: Int) -> ArraySlice<Float> {
        values[token * vocabularySize..<(token + 1) * vocabularySize]
    }

    /// The likeliest token after a given one; of equals the lowest.
    ///
    /// - Precondition: `token` is below ``tokenCount``.
    public func best(after token: Int) -> Int32 {
        let row = self[token]
        var best = row.startIndex
        for index in row.indices where row[index] > row[best] { best = index }
        return Int32(best - row.startIndex)
    }
}
