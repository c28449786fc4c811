/// Tokens that are looked for in the text itself, before any rule applies to it.
struct AddedToken: Sendable, Hashable {
    var id: Int32
    var text: String
    /// A control token: only looked for where special tokens are wanted, and left out of decoded text on request.
    var isSpecial: Bool
    /// Looked for in the normalised text.
    var isNormalized = false
    /// Takes the blanks before it.
    var stripsLeft = false
    /// Takes the blanks after it.
    var stripsRight = false
    /// Only between characters that are no letters or digits.
    var isSingleWord = false
}

/// Finds added tokens in a text, the longest at the leftmost place.
struct AddedTokenMatcher: Sendable {
    static let textBytesMax = 1 << 12

    private let tokens: [AddedToken]
    /// Node after `node` by `byte`, by node << 8 | byte; node 0 is the root.
    private var edges: [UInt64: Int32] = [:]
    /// Index into `tokens` of what ends at a node; -1 for none.
    private var ends: [Int32] = [-1]
    private var firstBytes = [Bool](repeating: false, count: 256)

    /// - Parameter tokens: texts are not empty and at most ``textBytesMax`` long.
    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        for (place, token) in tokens.enumerated() {
            var node: Int32 = 0
            for byte in token.text.utf8 {
                let key = UInt64(node) << 8 | UInt64(byte)
                if let next = edges[key] {
                    node = next
                } else {
                    node = Int32(ends.count)
                    edges[key] = node
                    ends.append(-1)
                }
            }
            if node != 0 { ends[Int(node)] = Int32(place) }
            if let first = token.text.utf8.first { firstBytes[Int(first)] = true }
        }
    }

    enum Part: Sendable {
        case text(Range<Int>)
        case token(Int32)
    }

    /// Cuts `text` at the tokens in it.
    func split(_ text: ArraySlice<UInt8>, withSpecial: Bool) -> [Part] {
        guard !tokens.isEmpty else { return text.isEmpty ? [] : [.text(text.indices)] }
        var parts: [Part] = []
        var end = text.startIndex  // of the last match
        var place = text.startIndex
        while place < text.endIndex {
            guard let (token, matchEnd) = match(at: place, in: text, withSpecial: withSpecial) else {
                place += 1
                continue
            }
            var start = place
            place = matchEnd
            if token.isSingleWord, isWord(before: start, in: text) || isWord(at: matchEnd, in: text) { continue }
            if token.stripsLeft { start = blanksStart(before: start, in: text[end...]) }
            if token.stripsRight { place = blanksEnd(after: matchEnd, in: text) }
            if end < start { parts.append(.text(end..<start)) }
            parts.append(.token(token.id))
            end = place
        }
        if end < text.endIndex { parts.append(.text(end..<text.endIndex)) }
        return parts
    }

    private func match(at place: Int, in text: ArraySlice<UInt8>, withSpecial: Bool) -> (AddedToken, Int)? {
        guard firstBytes[Int(text[place])] else { return nil }
        var node: Int32 = 0
        var longest: (AddedToken, Int)?
        var end = place
        while end < text.endIndex, let next = edges[UInt64(node) << 8 | UInt64(text[end])] {
            node = next
            end += 1
            guard ends[Int(node)] >= 0 else { continue }
            let token = tokens[Int(ends[Int(node)])]
            if withSpecial || !token.isSpecial { longest = (token, end) }
        }
        return longest
    }

    private func isWord(before place: Int, in text: ArraySlice<UInt8>) -> Bool {
        Self.lastScalar(of: text[..<place]).map(Self.isWord) ?? false
    }

    private func isWord(at place: Int, in text: ArraySlice<UInt8>) -> Bool {
        Self.firstScalar(of: text[place...]).map(Self.isWord) ?? false
    }

    private func blanksStart(before place: Int, in text: ArraySlice<UInt8>) -> Int {
        var start = place
        while let scalar = Self.lastScalar(of: text[..<start]), scalar.properties.isWhitespace {
            start -= UTF8.width(scalar)
        }
        return start
    }

    private func blanksEnd(after place: Int, in text: ArraySlice<UInt8>) -> Int {
        var end = place
        while let scalar = Self.firstScalar(of: text[end...]), scalar.properties.isWhitespace {
            end += UTF8.width(scalar)
        }
        return end
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
    }

    private static func firstScalar(of text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        String(decoding: text.prefix(4), as: UTF8.self).unicodeScalars.first
    }

    private static func lastScalar(of text: ArraySlice<UInt8>) -> Unicode.Scalar? {
        var start = text.endIndex
        repeat {
            guard start > text.startIndex else { return nil }
            start -= 1
        } while text[start] & 0xC0 == 0x80
        return String(decoding: text[start...], as: UTF8.self).unicodeScalars.first
    }
}
