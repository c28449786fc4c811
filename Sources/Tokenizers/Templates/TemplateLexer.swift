/// A piece of template source: text, or a token inside of `{{ }}` or `{% %}`.
struct TemplateToken: Sendable {
    enum Kind: Sendable, Equatable {
        case text(String)
        case outputBegin
        case outputEnd
        case blockBegin
        case blockEnd
        case name(String)
        case string(String)
        case integer(Int)
        case number(Double)
        case symbol(String)
        case end
    }

    var kind: Kind
    var line: Int
}

/// Cuts template source into tokens.
///
/// Whitespace is treated as transformers asks of Jinja: the first newline after a block goes (`trim_blocks`), blanks
/// before a block that begins its line go (`lstrip_blocks`), one newline at the very end goes; `-` and `+` override.
struct TemplateLexer {
    private let source: [Unicode.Scalar]
    private let name: String
    private var place = 0
    private var line = 1
    private var tokens: [TemplateToken] = []
    /// Whether what came last ended with a newline, so that blanks now begin a line.
    private var isAtLineStart = true

    private init(_ source: String, name: String) {
        var scalars: [Unicode.Scalar] = []
        var last: Unicode.Scalar?
        for scalar in source.unicodeScalars {
            defer { last = scalar }
            if scalar == "\n", last == "\r" { continue }
            scalars.append(scalar == "\r" ? "\n" : scalar)
        }
        if scalars.last == "\n" { scalars.removeLast() }
        self.source = scalars
        self.name = name
    }

    static func tokens(of source: String, name: String) throws(TokenizerError) -> [TemplateToken] {
        var lexer = TemplateLexer(source, name: name)
        while lexer.place < lexer.source.count { try lexer.readText() }
        lexer.append(.end)
        return lexer.tokens
    }

    private func error(_ message: String, line: Int? = nil) -> TokenizerError {
        TokenizerError(.template, "\(name): line \(line ?? self.line)", message)
    }

    private mutating func append(_ kind: TemplateToken.Kind) {
        tokens.append(TemplateToken(kind: kind, line: line))
    }

    private func has(_ text: String, at place: Int) -> Bool {
        var place = place
        for scalar in text.unicodeScalars {
            guard place < source.count, source[place] == scalar else { return false }
            place += 1
        }
        return true
    }

    private mutating func advance(to end: Int) {
        for scalar in source[place..<end] where scalar == "\n" { line += 1 }
        if end > place { isAtLineStart = source[end - 1] == "\n" }
        place = end
    }

    private mutating func skipBlanks() {
        var end = place
        while end < source.count, source[end].properties.isWhitespace { end += 1 }
        advance(to: end)
    }

    /// Text up to the next tag, then that tag.
    private mutating func readText() throws(TokenizerError) {
        var tag = place
        while tag < source.count,
            !(source[tag] == "{" && tag + 1 < source.count && "{%#".unicodeScalars.contains(source[tag + 1]))
        {
            tag += 1
        }
        guard tag < source.count else {
            appendText(place..<tag)
            advance(to: tag)
            return
        }
        let isOutput = source[tag + 1] == "{"
        let sign = tag + 2 < source.count ? source[tag + 2] : " "
        var end = tag
        if sign == "-" {
            while end > place, source[end - 1].properties.isWhitespace { end -= 1 }
        } else if sign != "+", !isOutput {
            end = withoutIndent(tag)
        }
        appendText(place..<end)
        advance(to: tag)
        let hasSign = sign == "-" || sign == "+"
        let opening = source[tag + 1]
        advance(to: tag + (hasSign ? 3 : 2))
        switch opening {
        case "#": try skipComment()
        case "{": try readTag(.outputBegin, .outputEnd, closing: "}}")
        default:
            if try !readRaw() { try readTag(.blockBegin, .blockEnd, closing: "%}") }
        }
    }

    /// The end of the text before a tag without the blanks that indent the tag.
    private func withoutIndent(_ tag: Int) -> Int {
        var start = tag
        while start > place, source[start - 1] != "\n" { start -= 1 }
        guard start > place || isAtLineStart else { return tag }
        return source[start..<tag].allSatisfy(\.properties.isWhitespace) ? start : tag
    }

    private mutating func appendText(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: source[range])
        append(.text(String(text)))
    }

    /// Passes the end of a tag that begins at `place`, sign included, and the whitespace that goes with it.
    private mutating func passEnd(_ closing: String, trimsNewline: Bool) {
        let isStripped = source[place] == "-"
        let isKept = source[place] == "+"
        advance(to: place + closing.unicodeScalars.count + (isStripped || isKept ? 1 : 0))
        if isStripped {
            skipBlanks()
        } else if trimsNewline, !isKept, place < source.count, source[place] == "\n" {
            advance(to: place + 1)
        }
    }

    private func isEnd(_ closing: String, at place: Int) -> Bool {
        has(closing, at: place) || has("-" + closing, at: place) || (closing != "}}" && has("+" + closing, at: place))
    }

    private mutating func skipComment() throws(TokenizerError) {
        let start = line
        var end = place
        while end < source.count, !isEnd("#}", at: end) { end += 1 }
        guard end < source.count else { throw error("a comment that does not end", line: start) }
        advance(to: end)
        passEnd("#}", trimsNewline: true)
    }

    /// `{% raw %}` … `{% endraw %}`; false when the tag is another.
    private mutating func readRaw() throws(TokenizerError) -> Bool {
        guard let begin = tagEnd("raw", from: place) else { return false }
        let startLine = line
        advance(to: begin)
        passEnd("%}", trimsNewline: false)
        var tag = place
        while tag < source.count {
            if has("{%", at: tag) {
                let sign = tag + 2 < source.count ? source[tag + 2] : " "
                let hasSign = sign == "-" || sign == "+"
                if let close = tagEnd("endraw", from: tag + (hasSign ? 3 : 2)) {
                    var end = tag
                    if sign == "-" {
                        while end > place, source[end - 1].properties.isWhitespace { end -= 1 }
                    } else if sign != "+" {
                        end = withoutIndent(tag)
                    }
                    appendText(place..<end)
                    advance(to: close)
                    passEnd("%}", trimsNewline: true)
                    return true
                }
            }
            tag += 1
        }
        throw error("raw without endraw", line: startLine)
    }

    /// Where the closing of a tag that holds just `word` begins.
    private func tagEnd(_ word: String, from start: Int) -> Int? {
        var place = start
        while place < source.count, source[place].properties.isWhitespace { place += 1 }
        guard has(word, at: place) else { return nil }
        place += word.unicodeScalars.count
        while place < source.count, source[place].properties.isWhitespace { place += 1 }
        return isEnd("%}", at: place) ? place : nil
    }

    private mutating func readTag(
        _ begin: TemplateToken.Kind, _ end: TemplateToken.Kind, closing: String
    ) throws(TokenizerError) {
        append(begin)
        let startLine = line
        var brackets: [Unicode.Scalar] = []
        while true {
            skipBlanks()
            guard place < source.count else { throw error("expected \(closing), got the end", line: startLine) }
            if brackets.isEmpty, isEnd(closing, at: place) { break }
            try readToken(&brackets)
        }
        append(end)
        passEnd(closing, trimsNewline: closing == "%}")
    }

    private static let closingBracket: [Unicode.Scalar: Unicode.Scalar] = ["(": ")", "[": "]", "{": "}"]
    private static let symbols = [
        "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}",
        ",", ":",
        ".", "|",
    ]

    private mutating func readToken(_ brackets: inout [Unicode.Scalar]) throws(TokenizerError) {
        let first = source[place]
        if first == "_" || first.properties.isXIDStart { return readName() }
        if ("0"..."9").contains(first) { return try readNumber() }
        if first == "'" || first == "\"" { return try readString(first) }
        guard let symbol = Self.symbols.first(where: { has($0, at: place) }) else {
            throw error("unexpected character \(TokenizerError.quoted(String(Character(first))))")
        }
        if let closing = Self.closingBracket[first] {
            brackets.append(closing)
        } else if first == ")" || first == "]" || first == "}" {
            guard brackets.popLast() == first else { throw error("a \(first) without its opening bracket") }
        }
        append(.symbol(symbol))
        advance(to: place + symbol.unicodeScalars.count)
    }

    private mutating func readName() {
        var end = place
        while end < source.count, source[end] == "_" || source[end].properties.isXIDContinue { end += 1 }
        append(.name(text(place..<end)))
        advance(to: end)
    }

    private func text(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: source[range])
        return String(text)
    }

    private mutating func readNumber() throws(TokenizerError) {
        func digitsEnd(_ start: Int) -> Int {
            var end = start
            while end < source.count, ("0"..."9").contains(source[end]) || (source[end] == "_" && end > start) {
                end += 1
            }
            return end
        }
        var end = digitsEnd(place)
        var isInteger = true
        if end + 1 < source.count, source[end] == ".", ("0"..."9").contains(source[end + 1]) {
            isInteger = false
            end = digitsEnd(end + 1)
        }
        if end < source.count, source[end] == "e" || source[end] == "E" {
            var exponent = end + 1
            if exponent < source.count, source[exponent] == "+" || source[exponent] == "-" { exponent += 1 }
            if digitsEnd(exponent) > exponent {
                isInteger = false
                end = digitsEnd(exponent)
            }
        }
        let digits = text(place..<end).filter { $0 != "_" }
        if isInteger {
            guard let value = Int(digits) else {
                throw error("the number \(TokenizerError.quoted(digits)) is too large")
            }
            append(.integer(value))
        } else {
            append(.number(Double(digits) ?? .nan))
        }
        advance(to: end)
    }

    private mutating func readString(_ quote: Unicode.Scalar) throws(TokenizerError) {
        let startLine = line
        var text = String.UnicodeScalarView()
        var end = place + 1
        while end < source.count, source[end] != quote {
            if source[end] == "\\", end + 1 < source.count {
                end = try escape(at: end + 1, into: &text)
            } else {
                text.append(source[end])
                end += 1
            }
        }
        guard end < source.count else { throw error("a string that does not end", line: startLine) }
        append(.string(String(text)))
        advance(to: end + 1)
    }

    /// Python's escapes; an unknown one stands for itself, backslash included.
    private func escape(at place: Int, into text: inout String.UnicodeScalarView) throws(TokenizerError) -> Int {
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}",
            "v": "\u{B}",
        ]
        let letter = source[place]
        if let scalar = simple[letter] {
            text.append(scalar)
            return place + 1
        }
        if letter == "\n" { return place + 1 }
        let digits: (count: Int, radix: Int, start: Int)
        switch letter {
        case "x": digits = (2, 16, place + 1)
        case "u": digits = (4, 16, place + 1)
        case "U": digits = (8, 16, place + 1)
        case "0"..."7": digits = (3, 8, place)
        default:
            text.append("\\")
            text.append(letter)
            return place + 1
        }
        var end = digits.start
        while end < min(source.count, digits.start + digits.count),
            source[end].properties.numericType != nil || source[end].properties.isASCIIHexDigit,
            Int(String(Character(source[end])), radix: digits.radix) != nil
        {
            end += 1
        }
        let isComplete = digits.radix == 8 || end == digits.start + digits.count
        guard isComplete, let code = UInt32(self.text(digits.start..<end), radix: digits.radix),
            let scalar = Unicode.Scalar(code)
        else { throw error("the escape \\\(letter) does not name a character") }
        text.append(scalar)
        return end
    }
}
