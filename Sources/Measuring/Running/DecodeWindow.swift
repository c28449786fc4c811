/// The time in which all of several sequences generate: from when the last of them has its first token until the first
/// of them ends. Where they are never all at it, as with few tokens on a busy machine, the time from the first of all tokens to
/// the last.
package struct DecodeWindow: Sendable, Hashable {
    package let seconds: Double
    /// Tokens of all sequences that arrived in it.
    package let tokenCount: Int

    /// - Parameter arrivals: when each token of each sequence came, in seconds, ascending.
    /// - Returns: nil where a sequence has no token, or all came at once.
    package init?(arrivals: [[Double]]) {
        let firsts = arrivals.compactMap(\.first)
        let lasts = arrivals.compactMap(\.last)
        guard firsts.count == arrivals.count, var start = firsts.max(), var end = lasts.min() else { return nil }
        if start >= end { (start, end) = (firsts.min() ?? start, lasts.max() ?? end) }
        guard start < end else { return nil }
        seconds = end - start
        tokenCount = arrivals.reduce(0) { sum, times in sum + times.count { $0 > start && $0 <= end } }
    }
}
