/// Byte pair encoding of one piece of text: its characters, merged by rank.
///
/// Merges come either as a list (`ranks`), or from the scores of a SentencePiece vocabulary (`scores`), where two
/// neighbours merge when their join is a token, best score first. Ties go to the lower ids, then to the left.
struct BytePairModel: Sendable {
    struct Merge: Sendable {
        var rank: Int32
        var token: Int32
    }

    enum Merges: Sendable {
        /// By left id and right id (``key(_:_:)``).
        case ranked([UInt64: Merge])
        /// Score of each token, by id; NaN where a token never results from a merge.
        case scored([Float])
    }

    let index: TokenIndex
    let merges: Merges
    /// A piece that is a token as a whole is that token, whatever the merges say.
    let ignoresMerges: Bool
    /// Ids of `<0x00>` to `<0xFF>`, for characters that are no token; nil without byte fallback.
    let byteTokens: [Int32]?
    let unknownToken: Int32?
    /// Whether neighbouring unknown characters become one unknown token.
    let fusesUnknown: Bool

    static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Appends the tokens of `piece` (valid UTF-8). O(n log n).
    func encode(_ piece: UnsafeBufferPointer<UInt8>, into tokens: inout [Int32]) {
        guard !piece.isEmpty else { return }
        if ignoresMerges, let whole = index.id(of: piece) {
            tokens.append(whole)
            return
        }
        var symbols = symbols(of: piece)
        if symbols.count > 1 { merge(&symbols, in: piece) }
        tokens.append(contentsOf: symbols.lazy.filter { $0.token >= 0 }.map(\.token))
    }

    /// One character (or what it was merged to) in a doubly linked list.
    private struct Symbol {
        /// -1 once merged into its left neighbour.
        var token: Int32
        var start: Int32
        var end: Int32
        var previous: Int32
        var next: Int32
    }

    private func symbols(of piece: UnsafeBufferPointer<UInt8>) -> [Symbol] {
        var symbols: [Symbol] = []
        symbols.reserveCapacity(piece.count)
        func append(_ token: Int32, _ start: Int, _ end: Int) {
            let place = Int32(symbols.count)
            symbols.append(
                Symbol(token: token, start: Int32(start), end: Int32(end), previous: place - 1, next: place + 1))
        }
        var start = 0
        var isAfterUnknown = false
        while start < piece.count {
            var end = start + 1
            while end < piece.count, piece[end] & 0xC0 == 0x80 { end += 1 }
            if let token = index.id(of: UnsafeBufferPointer(rebasing: piece[start..<end])) {
                append(token, start, end)
                isAfterUnknown = false
            } else if let byteTokens {
                for place in start..<end { append(byteTokens[Int(piece[place])], place, place + 1) }
                isAfterUnknown = false
            } else if let unknownToken {
                if isAfterUnknown, fusesUnknown {
                    symbols[symbols.count - 1].end = Int32(end)
                } else {
                    append(unknownToken, start, end)
                }
                isAfterUnknown = true
            }
            start = end
        }
        if !symbols.isEmpty { symbols[symbols.count - 1].next = -1 }
        return symbols
    }

    private func merge(_ symbols: inout [Symbol], in piece: UnsafeBufferPointer<UInt8>) {
        var queue = MergeQueue()
        queue.reserveCapacity(symbols.count)
        for left in 0..<(symbols.count - 1) {
            if let candidate = candidate(Int32(left), symbols, piece) { queue.push(candidate) }
        }
        while let best = queue.pop() {
            let left = symbols[Int(best.left)]
            // A candidate is stale when either side has since been merged.
            guard left.token == best.leftToken, left.next >= 0 else { continue }
            let right = symbols[Int(left.next)]
            guard right.token == best.rightToken else { continue }
            symbols[Int(best.left)].token = best.token
            symbols[Int(best.left)].end = right.end
            symbols[Int(best.left)].next = right.next
            symbols[Int(left.next)].token = -1
            if right.next >= 0 { symbols[Int(right.next)].previous = best.left }
            if left.previous >= 0, let candidate = candidate(left.previous, symbols, piece) { queue.push(candidate) }
            if right.next >= 0, let candidate = candidate(best.left, symbols, piece) { queue.push(candidate) }
        }
    }

    /// The merge of a symbol with its right neighbour, if there is one.
    private func candidate(
        _ place: Int32, _ symbols: [Symbol], _ piece: UnsafeBufferPointer<UInt8>
    ) -> MergeCandidate? {
        let left = symbols[Int(place)]
        let right = symbols[Int(left.next)]
        switch merges {
        case .ranked(let merges):
            guard let merge = merges[Self.key(left.token, right.token)] else { return nil }
            return MergeCandidate(
                priority: 0, rank: merge.rank, left: place, leftToken: left.token, rightToken: right.token,
                token: merge.token)
        case .scored(let scores):
            let join = UnsafeBufferPointer(rebasing: piece[Int(left.start)..<Int(right.end)])
            guard let token = index.id(of: join), !scores[Int(token)].isNaN else { return nil }
            return MergeCandidate(
                priority: -scores[Int(token)], rank: token, left: place, leftToken: left.token,
                rightToken: right.token, token: token)
        }
    }
}
