/// One way of cutting or rewriting pieces before they are encoded.
enum PreTokenizer: Sendable {
    /// Which side a separator goes to.
    enum Behaviour: String, Sendable, CaseIterable {
        case removed = "Removed"
        case isolated = "Isolated"
        case mergedWithPrevious = "MergedWithPrevious"
        case mergedWithNext = "MergedWithNext"
        case contiguous = "Contiguous"
    }

    enum Separator: Sendable {
        case pattern(Pattern)
        case text([UInt8])
    }

    /// When a blank is put before a text.
    enum Prefix: String, Sendable, CaseIterable {
        case always
        /// Before a piece that begins the whole text.
        case first
        case never
    }

    case split(Separator, Behaviour, isInverted: Bool)
    /// Replaces bytes by their printable stand-ins (``ByteAlphabet``).
    case byteLevel
    /// Replaces blanks; a prefix is not put before one that is there.
    case metaspace(replacement: [UInt8], prefix: Prefix, splits: Bool)

    /// - Parameter isStart: whether the first piece begins the whole text.
    func apply(to pieces: Pieces, isStart: Bool) throws(TokenizerError) -> Pieces {
        switch self {
        case .split(let separator, let behaviour, let isInverted):
            return try Self.split(pieces, separator, behaviour, isInverted)
        case .byteLevel:
            return Self.byteLevel(pieces)
        case .metaspace(let replacement, let prefix, let splits):
            let replaced = Self.metaspace(pieces, replacement, prefix, isStart)
            return splits ? try Self.split(replaced, .text(replacement), .mergedWithNext, false) : replaced
        }
    }

    private static func split(
        _ pieces: Pieces, _ separator: Separator, _ behaviour: Behaviour, _ isInverted: Bool
    ) throws(TokenizerError) -> Pieces {
        var result = Pieces()
        result.text = pieces.text
        result.ranges.reserveCapacity(pieces.ranges.count)
        for range in pieces.ranges {
            let matches: [Range<Int>]
            switch separator {
            case .text(let text):
                matches = occurrences(of: text, in: pieces.text[range]).map { shift($0, -range.lowerBound) }
            case .pattern(let pattern):
                matches = try pattern.matches(inSlice: pieces.text[range])
            }
            let parts = parts(of: range, matches: matches, isInverted: isInverted)
            result.ranges.append(contentsOf: combine(parts, behaviour))
        }
        return result
    }

    private struct Part {
        var range: Range<Int>
        var isSeparator: Bool
    }

    private static func shift(_ range: Range<Int>, _ offset: Int) -> Range<Int> {
        (range.lowerBound + offset)..<(range.upperBound + offset)
    }

    /// Separators and what lies between them, covering `piece`; `matches` count from its start.
    private static func parts(of piece: Range<Int>, matches: [Range<Int>], isInverted: Bool) -> [Part] {
        var parts: [Part] = []
        parts.reserveCapacity(matches.count * 2 + 1)
        var end = piece.lowerBound
        for match in matches {
            let match = shift(match, piece.lowerBound)
            if end < match.lowerBound { parts.append(Part(range: end..<match.lowerBound, isSeparator: isInverted)) }
            parts.append(Part(range: match, isSeparator: !isInverted))
            end = match.upperBound
        }
        if end < piece.upperBound { parts.append(Part(range: end..<piece.upperBound, isSeparator: isInverted)) }
        return parts
    }

    private static func combine(_ parts: [Part], _ behaviour: Behaviour) -> [Range<Int>] {
        switch behaviour {
        case .isolated: return parts.map(\.range)
        case .removed: return parts.lazy.filter { !$0.isSeparator }.map(\.range)
        case .contiguous: return joined(parts) { $0.isSeparator == $1.isSeparator }
        case .mergedWithPrevious: return joined(parts) { !$0.isSeparator && $1.isSeparator }
        case .mergedWithNext: return joined(parts) { $0.isSeparator && !$1.isSeparator }
        }
    }

    private static func joined(_ parts: [Part], where isJoined: (Part, Part) -> Bool) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for (place, part) in parts.enumerated() {
            if place > 0, isJoined(parts[place - 1], part) {
                ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<part.range.upperBound
            } else {
                ranges.append(part.range)
            }
        }
        return ranges
    }

    private static func byteLevel(_ pieces: Pieces) -> Pieces {
        var result = Pieces()
        result.text.reserveCapacity(pieces.text.count * 3 / 2)
        result.ranges.reserveCapacity(pieces.ranges.count)
        let alphabet = ByteAlphabet.encoded
        for range in pieces.ranges {
            let start = result.text.count
            for byte in pieces.text[range] { result.text.append(contentsOf: alphabet[Int(byte)]) }
            result.ranges.append(start..<result.text.count)
        }
        return result
    }

    private static func metaspace(
        _ pieces: Pieces, _ replacement: [UInt8], _ prefix: Prefix, _ isStart: Bool
    ) -> Pieces {
        var result = Pieces()
        for range in pieces.ranges {
            let isFirst = isStart && range.lowerBound == 0
            var piece = replacing([UInt8(ascii: " ")], with: replacement, in: pieces.text[range])
            if prefix == .always || (prefix == .first && isFirst), !piece.starts(with: replacement) {
                piece = replacement + piece
            }
            result.append(piece)
        }
        return result
    }
}

extension Pattern {
    /// Matches in a slice, counted from its start.
    func matches(inSlice slice: ArraySlice<UInt8>) throws(TokenizerError) -> [Range<Int>] {
        let result: Result<[Range<Int>], TokenizerError> = slice.withUnsafeBufferPointer { text in
            do throws(TokenizerError) {
                return .success(try matches(in: text))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// Where `text` occurs, left to right without overlap; places are those of the slice.
func occurrences(of text: [UInt8], in slice: ArraySlice<UInt8>) -> [Range<Int>] {
    guard let first = text.first else { return [] }
    var found: [Range<Int>] = []
    var place = slice.startIndex
    while place + text.count <= slice.endIndex {
        if slice[place] == first, slice[place..<(place + text.count)].elementsEqual(text) {
            found.append(place..<(place + text.count))
            place += text.count
        } else {
            place += 1
        }
    }
    return found
}

func replacing(_ text: [UInt8], with replacement: [UInt8], in slice: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(slice.count)
    var place = slice.startIndex
    for match in occurrences(of: text, in: slice) {
        result.append(contentsOf: slice[place..<match.lowerBound])
        result.append(contentsOf: replacement)
        place = match.upperBound
    }
    result.append(contentsOf: slice[place...])
    return result
}
