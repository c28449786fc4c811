import Foundation

/// Random numbers that are the same everywhere for the same key (Steele, Lea, Flood 2014, SplitMix64).
struct SplitMix64 {
    private var state: UInt64

    /// - Parameter key: words that name what the numbers are for; other words give unrelated numbers.
    init(_ key: UInt64...) {
        state = 0
        for word in key { state = next() ^ word }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Below `count`, which is positive.
    mutating func next(below count: Int) -> Int { Int(next() % UInt64(count)) }

    /// Above 0, at most 1.
    mutating func nextUnit() -> Double { Double((next() >> 11) + 1) * 0x1p-53 }

    /// From the normal distribution with mean 0 and deviation 1 (Box and Muller 1958).
    mutating func nextNormal() -> Double {
        let radius = (-2 * log(nextUnit())).squareRoot()
        return radius * cos(2 * .pi * nextUnit())
    }
}
