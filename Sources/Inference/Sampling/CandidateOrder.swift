import Sharding

/// Sorts tokens by (logit descending, id ascending); keeps its memory from token to token.
struct CandidateOrder {
    /// Sort keys with the token: the upper half ascends as the logit descends, the lower half is the id.
    private var keys: [UInt64] = []
    private var other: [UInt64] = []
    private var tokens: [TokenID] = []
    /// Where the keys of each digit start.
    private var starts = [Int](repeating: 0, count: 2049)

    /// Up to this many are kept in a sorted list while the rest passes by; more are sorted altogether.
    private static let insertionMax = 128

    init(capacity: Int) {
        keys.reserveCapacity(capacity)
        tokens.reserveCapacity(capacity)
    }

    /// The first `count` of all tokens.
    mutating func best(_ count: Int, of logits: [Float]) -> [TokenID] {
        if count <= Self.insertionMax {
            keepBest(count, of: logits)
        } else {
            sortAll(logits)
        }
        tokens.removeAll(keepingCapacity: true)
        for key in keys.prefix(count) { tokens.append(TokenID(truncatingIfNeeded: key)) }
        return tokens
    }

    private static func key(_ logit: Float, _ token: Int) -> UInt64 {
        // −0 and 0 are equal logits, so they must be equal keys.
        let bits = (logit == 0 ? 0 : logit).bitPattern
        let ascending = bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
        return UInt64(~ascending) << 32 | UInt64(UInt32(truncatingIfNeeded: token))
    }

    private mutating func keepBest(_ count: Int, of logits: [Float]) {
        keys.removeAll(keepingCapacity: true)
        for (token, logit) in logits.enumerated() {
            let key = Self.key(logit, token)
            if keys.count == count {
                guard let last = keys.last, key < last else { continue }
                keys.removeLast()
            }
            var index = keys.count
            while index > 0, keys[index - 1] > key { index -= 1 }
            keys.insert(key, at: index)
        }
    }

    /// Radix sort by the upper half, 11 bits at a time; it is stable, so ids stay in order.
    private mutating func sortAll(_ logits: [Float]) {
        keys.removeAll(keepingCapacity: true)
        for (token, logit) in logits.enumerated() { keys.append(Self.key(logit, token)) }
        // Not a copy: two owners of the same memory would allocate when one of them writes.
        if other.count != keys.count { other = Array(repeating: 0, count: keys.count) }
        for shift in [32, 43, 54] as [UInt64] {
            for digit in starts.indices { starts[digit] = 0 }
            for key in keys { starts[Int(key >> shift & 2047) + 1] += 1 }
            for digit in 1...2048 { starts[digit] += starts[digit - 1] }
            for key in keys {
                let digit = Int(key >> shift & 2047)
                other[starts[digit]] = key
                starts[digit] += 1
            }
            swap(&keys, &other)
        }
    }
}
