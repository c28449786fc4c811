/// Random numbers that are a function of their key alone: no state travels or is replayed.
///
/// The key's three words go one after the other through the finaliser of SplitMix64 (Steele, Lea, Flood 2014; Stafford's
/// variant 13), each added to the previous result with the generator's odd constant.
enum CounterRandom {
    /// A number in [0, 1), a multiple of 2⁻²⁴, for the token at `position` of a choice.
    static func uniform(seed: UInt64, choice: Int, position: Int) -> Float {
        var word = mix(seed &+ increment)
        word = mix(word &+ UInt64(bitPattern: Int64(choice)) &+ increment)
        word = mix(word &+ UInt64(bitPattern: Int64(position)) &+ increment)
        return Float(word >> 40) * 0x1p-24
    }

    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static func mix(_ value: UInt64) -> UInt64 {
        var word = value
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
