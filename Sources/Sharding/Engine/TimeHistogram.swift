/// How often something took how long, in fixed classes from 100 µs to 100 s, six a decade.
///
/// Two of one engine's life can be subtracted: what is left happened in between.
package struct TimeHistogram: Sendable, Codable, Hashable {
    /// Upper bounds of the classes, in seconds, ascending; beyond the last is one more class.
    package static let boundsSeconds: [Double] = {
        var bounds: [Double] = []
        // Quotients of whole numbers, so that they print as people write them.
        for tenth in [10000.0, 1000, 100, 10, 1] { bounds += [1, 1.5, 2, 3, 5, 7].map { $0 / tenth } }
        return bounds + [10, 15, 20, 30, 50, 70, 100]
    }()

    /// One more than there are bounds.
    package private(set) var counts = [UInt64](repeating: 0, count: boundsSeconds.count + 1)
    package private(set) var sumSeconds = 0.0

    package init() {}

    package var count: UInt64 { counts.reduce(0, &+) }

    package mutating func note(_ time: Duration) {
        let seconds = max(0, time.seconds)
        counts[Self.index(of: seconds)] &+= 1
        sumSeconds += seconds
    }

    private static func index(of seconds: Double) -> Int {
        var (low, high) = (0, boundsSeconds.count)
        while low < high {
            let middle = (low + high) / 2
            if seconds <= boundsSeconds[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The time that a part of all stayed within, in seconds: right to the width of a class; nil where nothing happened.
    ///
    /// - Parameter part: 0.95 for the time that 95 % stayed within.
    package func quantile(_ part: Double) -> Double? {
        let total = Double(count)
        guard total > 0 else { return nil }
        let wanted = min(max(part, 0), 1) * total
        var before = 0.0
        for (bound, count) in zip(Self.boundsSeconds.indices, counts) where count > 0 {
            if before + Double(count) >= wanted {
                let low = bound == 0 ? 0 : Self.boundsSeconds[bound - 1]
                return low + (Self.boundsSeconds[bound] - low) * (wanted - before) / Double(count)
            }
            before += Double(count)
        }
        return Self.boundsSeconds.last
    }

    package var meanSeconds: Double? { count > 0 ? sumSeconds / Double(count) : nil }

    /// What happened since an earlier reading; all of it, where that was of another life.
    package func since(_ earlier: TimeHistogram) -> TimeHistogram {
        guard counts.count == earlier.counts.count, zip(counts, earlier.counts).allSatisfy({ $0 >= $1 }) else {
            return self
        }
        var difference = self
        difference.counts = zip(counts, earlier.counts).map { $0 - $1 }
        difference.sumSeconds = max(0, sumSeconds - earlier.sumSeconds)
        return difference
    }
}
