import Foundation

/// How many tokens a prompt or an answer has, drawn anew for each request.
package struct TokenCounts: Sendable, Hashable {
    package static let tokensMax = 1 << 20

    private enum Shape: Sendable, Hashable {
        /// Each as likely as the others.
        case values([Int])
        case uniform(ClosedRange<Int>)
        /// Its logarithm is normally distributed around that of the median.
        case lognormal(median: Int, deviation: Double)
    }

    private let shape: Shape
    /// As it was asked for.
    package let text: String

    /// Always the same.
    ///
    /// - Parameter count: 1 to ``tokensMax``.
    package init(_ count: Int) {
        precondition((1...Self.tokensMax).contains(count), "a prompt or an answer has some tokens")
        shape = .values([count])
        text = "\(count)"
    }

    /// Takes `128`, `64,128,256`, `64..512`, and `lognormal:128,0.5` (the median, and the deviation of the logarithm).
    package init?(_ text: String) {
        self.text = text
        if text.hasPrefix("lognormal:") {
            let parts = text.dropFirst("lognormal:".count).split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2, let median = Self.count(parts[0]), let deviation = Double(parts[1]),
                (0...4).contains(deviation)
            else { return nil }
            shape = .lognormal(median: median, deviation: deviation)
            return
        }
        let ends = text.split(separator: "..", omittingEmptySubsequences: false)
        if ends.count == 2 {
            guard let low = Self.count(ends[0]), let high = Self.count(ends[1]), low <= high else { return nil }
            shape = .uniform(low...high)
            return
        }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let values = parts.compactMap(Self.count)
        guard values.count == parts.count else { return nil }
        shape = .values(values)
    }

    private static func count(_ text: Substring) -> Int? {
        guard let count = Int(text), (1...tokensMax).contains(count) else { return nil }
        return count
    }

    func count(_ random: inout SplitMix64) -> Int {
        switch shape {
        case .values(let values): return values[random.next(below: values.count)]
        case .uniform(let range): return range.lowerBound + random.next(below: range.count)
        case .lognormal(let median, let deviation):
            let count = (Double(median) * exp(deviation * random.nextNormal())).rounded()
            return Int(min(max(count, 1), Double(Self.tokensMax)))
        }
    }
}
