import Sharding

/// Finds the sequence whose state begins with most of a prompt.
///
/// Prompts are looked up by hashes of their first 16, 32, 48, … tokens; what is found is for the caller to compare.
struct PrefixIndex: Sendable {
    /// Shorter prefixes are not found.
    static let stride = 16

    /// Of each prefix's hash, the sequences that begin with it; the newest last.
    private var holders: [Int: [SequenceID]] = [:]
    /// Of each sequence, the hashes of its prefixes, the shortest first.
    private var prefixes: [SequenceID: [Int]] = [:]

    /// The stages hold a sequence's state for these tokens, or will when steps that were sent have passed.
    ///
    /// - Parameter tokens: those that were noted before, and those that follow them.
    mutating func note(_ sequence: SequenceID, holds tokens: ArraySlice<TokenID>) {
        var hashes = prefixes.removeValue(forKey: sequence) ?? []
        while (hashes.count + 1) * Self.stride <= tokens.count {
            let hash = Self.hash(tokens, hashes.count, after: hashes.last)
            hashes.append(hash)
            holders[hash, default: []].append(sequence)
        }
        if !hashes.isEmpty { prefixes[sequence] = hashes }
    }

    mutating func forget(_ sequence: SequenceID) {
        for hash in prefixes.removeValue(forKey: sequence) ?? [] {
            holders[hash]?.removeAll { $0 == sequence }
            if holders[hash]?.isEmpty == true { holders[hash] = nil }
        }
    }

    /// The newest of those that begin with most of these tokens; nil where none begins with the first 16.
    func holder(of tokens: ArraySlice<TokenID>) -> SequenceID? {
        var found: SequenceID?
        var last: Int?
        for index in 0..<tokens.count / Self.stride {
            let hash = Self.hash(tokens, index, after: last)
            guard let holder = holders[hash]?.last else { break }
            (found, last) = (holder, hash)
        }
        return found
    }

    /// Of the tokens up to the end of a stride; keyed anew in each process, so that nobody can make two of them meet.
    private static func hash(_ tokens: ArraySlice<TokenID>, _ index: Int, after last: Int?) -> Int {
        var hasher = Hasher()
        hasher.combine(last)
        let start = tokens.startIndex + index * stride
        for token in tokens[start..<start + stride] { hasher.combine(token) }
        return hasher.finalize()
    }
}
