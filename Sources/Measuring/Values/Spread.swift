/// Several measurements of one thing: what is in the middle, and from where to where they reach.
package struct Spread: Sendable, Hashable, Codable {
    package let median: Double
    package let low: Double
    package let high: Double
    /// In the order of measuring.
    package let samples: [Double]

    /// - Parameter samples: at least one.
    package init(_ samples: [Double]) {
        precondition(!samples.isEmpty, "a spread has samples")
        let sorted = samples.sorted()
        let middle = sorted.count / 2
        self.samples = samples
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        low = sorted[0]
        high = sorted[sorted.count - 1]
    }

    /// Whether the two have no value in common: then they differ by more than each varies.
    package func isApart(from other: Spread) -> Bool { low > other.high || high < other.low }
}
