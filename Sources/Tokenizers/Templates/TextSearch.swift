/// Searches in strings by their bytes; Swift's own compare by canonical equivalence.
enum TextSearch {
    /// Where `part` (not empty) first occurs.
    static func first(_ part: String, in text: Substring.UTF8View) -> String.Index? {
        let part = Array(part.utf8)
        guard let lead = part.first else { return text.startIndex }
        var rest = text
        while let start = rest.firstIndex(of: lead) {
            rest = rest[start...]
            if rest.starts(with: part) { return start }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// The parts of `text` between occurrences of `separator` (not empty), at most `splitsMax` times cut.
    static func split(_ text: String, by separator: String, splitsMax: Int = .max) -> [String] {
        var parts: [String] = []
        var rest = text.utf8[...]
        while parts.count < splitsMax, let start = first(separator, in: rest) {
            parts.append(String(Substring(rest[..<start])))
            rest = rest[start...].dropFirst(separator.utf8.count)
        }
        parts.append(String(Substring(rest)))
        return parts
    }

    /// The same, cut from the end.
    static func splitFromEnd(_ text: String, by separator: String, splitsMax: Int) -> [String] {
        let parts = split(text, by: separator)
        guard parts.count - 1 > splitsMax else { return parts }
        let cut = parts.count - splitsMax
        return [parts[..<cut].joined(separator: separator)] + parts[cut...]
    }

    static func count(_ part: String, in text: String) -> Int {
        part.isEmpty ? text.unicodeScalars.count + 1 : split(text, by: part).count - 1
    }

    static func replace(_ old: String, with new: String, in text: String, countMax: Int = .max) -> String {
        guard old.isEmpty else { return split(text, by: old, splitsMax: countMax).joined(separator: new) }
        var result = ""
        for (place, scalar) in text.unicodeScalars.enumerated() {
            if place < countMax { result += new }
            result.unicodeScalars.append(scalar)
        }
        return text.unicodeScalars.count < countMax ? result + new : result
    }

    /// Words between whitespace.
    static func words(_ text: String, splitsMax: Int = .max) -> [String] {
        var parts: [String] = []
        var rest = text.unicodeScalars[...].drop { isBlank($0) }
        while !rest.isEmpty {
            if parts.count == splitsMax {
                parts.append(String(trimmed(rest, left: false, right: true, isBlank)))
                break
            }
            let word = rest.prefix { !isBlank($0) }
            parts.append(String(word))
            rest = rest[word.endIndex...].drop { isBlank($0) }
        }
        return parts
    }

    static func lines(_ text: String, keepsEnds: Bool = false) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            defer { last = scalar }
            if scalar == "\n", last == "\r" {
                if keepsEnds { lines[lines.count - 1].unicodeScalars.append(scalar) }
                continue
            }
            let isEnd =
                (0x0A...0x0D).contains(scalar.value) || (0x1C...0x1E).contains(scalar.value)
                || [0x85, 0x2028, 0x2029].contains(scalar.value)
            if !isEnd || keepsEnds { line.append(scalar) }
            if isEnd {
                lines.append(String(line))
                line = String.UnicodeScalarView()
            }
        }
        if !line.isEmpty { lines.append(String(line)) }
        return lines
    }

    /// What Python's `str.isspace` calls so.
    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    static func trim(_ text: String, characters: String?, left: Bool = true, right: Bool = true) -> String {
        guard let characters else {
            return String(trimmed(text.unicodeScalars[...], left: left, right: right, isBlank))
        }
        let set = Set(characters.unicodeScalars)
        return String(trimmed(text.unicodeScalars[...], left: left, right: right) { set.contains($0) })
    }

    private static func trimmed(
        _ text: Substring.UnicodeScalarView, left: Bool, right: Bool, _ isTrimmed: (Unicode.Scalar) -> Bool
    ) -> Substring.UnicodeScalarView {
        var text = text
        if left { text = text.drop(while: isTrimmed) }
        while right, let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }

    static func capitalized(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        return first.properties.titlecaseMapping + String(text.unicodeScalars.dropFirst()).lowercased()
    }

    /// Every letter after something that is no letter in title case, others in lower case.
    static func titled(_ text: String, isWordPart: (Unicode.Scalar) -> Bool) -> String {
        var result = ""
        var isInWord = false
        for scalar in text.unicodeScalars {
            result += isInWord ? scalar.properties.lowercaseMapping : scalar.properties.titlecaseMapping
            isInWord = isWordPart(scalar)
        }
        return result
    }
}
