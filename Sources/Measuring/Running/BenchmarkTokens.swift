import Sharding

/// Tokens without meaning, the same in every run: from SplitMix64 (Steele, Lea, Flood 2014), keyed by their place.
package enum BenchmarkTokens {
    package static func token(sequence: Int, position: Int, vocabularySize: Int) -> TokenID {
        var word = (UInt64(sequence) << 32 | UInt64(position)) &* 0x9E37_79B9_7F4A_7C15 &+ 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        word ^= word >> 31
        return TokenID(word % UInt64(max(1, vocabularySize)))
    }

    package static func tokens(_ positions: Range<Int>, sequence: Int, vocabularySize: Int) -> [TokenID] {
        positions.map { token(sequence: sequence, position: $0, vocabularySize: vocabularySize) }
    }
}
