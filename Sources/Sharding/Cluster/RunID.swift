/// Names one run of a coordinator: 128 random bits, new at each of its starts.
///
/// A worker obeys one run until its lease lapses; what carries another run is refused.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    /// What a message carries before a run is known (a first hello).
    package static let none = RunID(high: 0, low: 0)

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func random(using generator: inout some RandomNumberGenerator) -> RunID {
        RunID(high: generator.next(), low: generator.next() | 1)
    }

    package static func random() -> RunID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// 32 hexadecimal digits.
    package var description: String { Self.hexadecimal(high) + Self.hexadecimal(low) }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
