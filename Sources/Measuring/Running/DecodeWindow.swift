/// The time in which all of several sequences generate: from when the last of them has its first token until the first
/// of them ends.
package struct DecodeWindow: Sendable, Hashable {
    package let seconds: Double
    /// Tokens of all sequences that arrived in it.
    package let tokenCount: Int

    /// - Parameter arrivals: when each token of each sequence came, in seconds, ascending.
    /// - Returns: nil where the sequences were never all at it.
    package init?(arrivals: [[Double]]) {
        guard let start = arrivals.map({ $0.first ?? .infinity }).max(),
            let end = arrivals.map({ $0.last ?? 0 }).min(), end > start
        else { return nil }
        seconds = end - start
        tokenCount = arrivals.reduce(0) { sum, times in sum + times.count { $0 > start && $0 <= end } }
    }
}
