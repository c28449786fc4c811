/// Reads JSON (RFC 8259) piece by piece, without building a tree: what a hostile file makes it keep is the caller's choice.
///
/// `NaN` and `Infinity` are accepted as numbers, since Python writes them into configurations.
package struct JSONReader {
    /// Objects and arrays inside each other.
    package static let depthMax = 96

    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private var position = 0
    private var depth = 0
    private let depthMax: Int

    /// - Parameters:
    ///   - bytes: borrowed; the caller keeps them alive.
    ///   - file: name that errors give as the place.
    package init(_ bytes: UnsafeRawBufferPointer, file: String, depthMax: Int = Self.depthMax) {
        self.bytes = bytes
        self.file = file
        self.depthMax = depthMax
    }

    package func error(_ expected: String, got: String? = nil, _ code: ModelFileError.Code = .malformed)
        -> ModelFileError
    {
        ModelFileError(
            code, file: file, field: "JSON", offset: position, expected: expected, got: got ?? describedByte)
    }

    private var describedByte: String {
        guard position < bytes.count else { return "the end" }
        let byte = bytes[position]
        return (0x21...0x7E).contains(byte) ? "`\(Character(UnicodeScalar(byte)))`" : "byte \(byte)"
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// The first byte of the value that follows: `{`, `[`, `"`, or another.
    package mutating func kind() -> UInt8? {
        skipSpace()
        return peek
    }

    private mutating func expect(_ byte: UInt8) throws(ModelFileError) {
        skipSpace()
        guard peek == byte else { throw error("`\(Character(UnicodeScalar(byte)))`") }
        position += 1
    }

    private mutating func enter(_ byte: UInt8) throws(ModelFileError) {
        try expect(byte)
        depth += 1
        guard depth <= depthMax else {
            throw error("at most \(depthMax) levels of nesting", got: "more", .limit)
        }
    }

    package mutating func beginObject() throws(ModelFileError) { try enter(UInt8(ascii: "{")) }
    package mutating func beginArray() throws(ModelFileError) { try enter(UInt8(ascii: "[")) }

    /// The next key of the object begun last; nil at its end. `isFirst` is true before the first and then kept here.
    package mutating func nextKey(_ isFirst: inout Bool) throws(ModelFileError) -> String? {
        guard try hasNext(&isFirst, closing: UInt8(ascii: "}")) else { return nil }
        let key = try string()
        try expect(UInt8(ascii: ":"))
        return key
    }

    /// Whether the array begun last has another element.
    package mutating func hasElement(_ isFirst: inout Bool) throws(ModelFileError) -> Bool {
        try hasNext(&isFirst, closing: UInt8(ascii: "]"))
    }

    private mutating func hasNext(_ isFirst: inout Bool, closing: UInt8) throws(ModelFileError) -> Bool {
        skipSpace()
        if peek == closing {
            position += 1
            depth -= 1
            return false
        }
        if !isFirst { try expect(UInt8(ascii: ",")) }
        isFirst = false
        return true
    }

    /// Nothing but white space may follow.
    package mutating func end() throws(ModelFileError) {
        skipSpace()
        guard position == bytes.count else { throw error("nothing after the value") }
    }

    package mutating func literal() throws(ModelFileError) -> JSONValue {
        for (text, value) in Self.literals {
            let end = position + text.utf8.count
            guard end <= bytes.count, bytes[position..<end].elementsEqual(text.utf8) else { continue }
            position = end
            return value
        }
        throw error("a value")
    }

    private static let literals: [(String, JSONValue)] = [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)), ("NaN", .number(.nan)),
        ("Infinity", .number(.infinity)), ("-Infinity", .number(-.infinity)),
    ]

    package mutating func number() throws(ModelFileError) -> JSONValue {
        skipSpace()
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "I") {
            position = start
            return try literal()
        }
        let firstDigit = position
        try skipDigits()
        guard bytes[firstDigit] != UInt8(ascii: "0") || position == firstDigit + 1 else {
            throw error("a number without leading zeros", got: "`0`")
        }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try skipDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text) else { throw error("a number", got: text) }
        return .number(number)
    }

    private mutating func skipDigits() throws(ModelFileError) {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw error("a digit") }
    }

    package mutating func string() throws(ModelFileError) -> String {
        try expect(UInt8(ascii: "\""))
        let start = position
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if peek == UInt8(ascii: "\"") {
            defer { position += 1 }
            let utf8 = UnsafeRawBufferPointer(rebasing: bytes[start..<position]).bindMemory(to: UInt8.self)
            guard let text = String(validating: utf8, as: UTF8.self) else {
                throw error("UTF-8 in a string", got: "other bytes")
            }
            return text
        }
        var text = Array(bytes[start..<position])
        while true {
            guard let byte = peek, byte >= 0x20 else { throw error("the end of a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: text, as: UTF8.self) else {
                    throw error("UTF-8 in a string", got: "other bytes")
                }
                return text
            case UInt8(ascii: "\\"): try escape(&text)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(_ text: inout [UInt8]) throws(ModelFileError) {
        guard let byte = peek else { throw error("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourHexDigits()
            if (0xD800..<0xDC00).contains(code) {
                guard peek == UInt8(ascii: "\\") else { throw error("the second half of a surrogate pair") }
                position += 1
                guard peek == UInt8(ascii: "u") else { throw error("the second half of a surrogate pair") }
                position += 1
                let low = try fourHexDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw error("the second half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("a character", got: "half a surrogate pair") }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default:
            position -= 1
            throw error("one of \"\\/bfnrtu after a backslash")
        }
    }

    private mutating func fourHexDigits() throws(ModelFileError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("four hexadecimal digits")
            }
            position += 1
            code = code << 4 | UInt32(digit)
        }
        return code
    }
}
