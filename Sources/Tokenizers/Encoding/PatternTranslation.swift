/// Rewrites a pattern's `\s`, `\S` and `\w` to Unicode's definitions.
///
/// PCRE2 counts U+180E as space, and 10.42 leaves marks and connectors out of `\w`; the library that defines
/// tokenizer.json does neither.
enum PatternTranslation {
    private static let space =
        #"\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"#
    private static let word = #"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}"#

    static func translate(_ pattern: String) -> String {
        var result = ""
        var classDepth = 0
        var isEscaped = false
        for character in pattern.unicodeScalars {
            if isEscaped {
                isEscaped = false
                switch (character, classDepth > 0) {
                case ("s", false): result += "[\(space)]"
                case ("s", true): result += space
                case ("S", false): result += "[^\(space)]"
                case ("w", false): result += "[\(word)]"
                case ("w", true): result += word
                case ("h", false): result += "[0-9a-fA-F]"
                default:
                    result += "\\"
                    result.unicodeScalars.append(character)
                }
                continue
            }
            switch character {
            case "\\":
                isEscaped = true
                continue
            case "[" where classDepth == 0: classDepth = 1
            case "]" where classDepth == 1 && !isClassStart(result): classDepth = 0
            default: break
            }
            result.unicodeScalars.append(character)
        }
        if isEscaped { result += "\\" }
        return result
    }

    /// A `]` right after `[` or `[^` is a member of the class.
    private static func isClassStart(_ pattern: String) -> Bool {
        pattern.utf8.last == UInt8(ascii: "[") && !pattern.hasSuffix("\\[")
            || pattern.hasSuffix("[^") && !pattern.hasSuffix("\\[^")
    }
}
