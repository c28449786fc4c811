import Sharding

/// The mean of a sequence's hidden states after the output norm, as far as its rows have come.
struct HiddenMean: Sendable {
    /// `[hiddenSize]`, each element summed position by position.
    private var sums: [Float]
    private var rowCount = 0

    init(hiddenSize: Int) { sums = Array(repeating: 0, count: hiddenSize) }

    /// Takes the next position in.
    ///
    /// - Parameter hidden: `[hiddenSize]`.
    /// - Throws: ``InferenceError`` `.invalidStep` unless all positions before the row's were taken in, each once.
    mutating func add(_ row: StepRow, hidden: UnsafeBufferPointer<Float>) throws(InferenceError) {
        guard row.position == rowCount else {
            throw InferenceError(
                .invalidStep, place: "sequence \(row.sequence)",
                "expected position \(rowCount) next for the mean of its hidden states, got \(row.position)")
        }
        precondition(hidden.count == sums.count, "a row has as many elements as the model's hidden states")
        for index in hidden.indices { sums[index] += hidden[index] }
        rowCount += 1
    }

    /// Of the rows so far, of which there is at least one.
    var value: [Float] {
        let count = Float(rowCount)
        return sums.map { $0 / count }
    }
}
