/// Turns tokens into text as they arrive.
///
/// What it has given out is always whole characters, and all of it together is exactly what ``Tokenizer/decode(_:skipSpecial:)``
/// gives for the same tokens: bytes that cannot become a character are U+FFFD. A run of byte tokens is held back
/// until it ends, as only the whole run tells whether it is text.
package struct Detokenizer: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecial: Bool
    private var isFirst = true
    private var leadingLeft: Int
    /// Bytes that are not yet characters.
    private var held: [UInt8] = []

    init(_ tokenizer: Tokenizer, skipsSpecial: Bool, isContinuation: Bool) {
        self.tokenizer = tokenizer
        self.skipsSpecial = skipsSpecial
        leadingLeft = 0
        if case .pieces(let decoding) = tokenizer.decoder, !isContinuation { leadingLeft = decoding.leadingCount }
        isFirst = !isContinuation
    }

    /// The text that `token` completes, often empty. Ids that the vocabulary does not have give nothing: a model's
    /// head may be wider than its vocabulary.
    package mutating func append(_ token: Int32) -> String {
        guard let text = tokenizer.text(of: token), !(skipsSpecial && tokenizer.isSpecial(token)) else { return "" }
        switch tokenizer.decoder {
        case .byteLevel:
            held.append(contentsOf: ByteAlphabet.decode(text) ?? Array(text.utf8))
            return takeCharacters()
        case .pieces(let decoding):
            return append(text, decoding)
        }
    }

    /// What was held back, when no more tokens come.
    package mutating func flush() -> String {
        defer { held = [] }
        switch tokenizer.decoder {
        case .byteLevel: return String(decoding: held, as: UTF8.self)
        case .pieces: return stripped(takeRun())
        }
    }

    private mutating func append(_ text: String, _ decoding: Decoder.PieceDecoding) -> String {
        var piece = Array(text.utf8)
        for replacement in decoding.replacements {
            piece = replacing(replacement.old, with: replacement.new, in: piece[...])
        }
        if !isFirst {
            piece = decoding.separator + piece
        } else if !decoding.droppedFromFirst.isEmpty {
            piece = replacing(decoding.droppedFromFirst, with: [], in: Array(text.utf8)[...])
        }
        isFirst = false
        if decoding.joinsBytes, let byte = Self.byte(of: piece) {
            held.append(byte)
            return ""
        }
        return stripped(takeRun() + String(decoding: piece, as: UTF8.self))
    }

    private mutating func stripped(_ text: String) -> String {
        guard leadingLeft > 0, !text.isEmpty, case .pieces(let decoding) = tokenizer.decoder else { return text }
        var rest = text.utf8[...]
        while leadingLeft > 0, rest.first == decoding.leading {
            rest = rest.dropFirst()
            leadingLeft -= 1
        }
        if !rest.isEmpty { leadingLeft = 0 }
        return String(Substring(rest))
    }

    /// A run of byte tokens as text.
    private mutating func takeRun() -> String {
        guard !held.isEmpty else { return "" }
        defer { held = [] }
        return String(validating: held, as: UTF8.self) ?? String(repeating: "\u{FFFD}", count: held.count)
    }

    /// All that is decided of the held bytes; the beginning of a character stays.
    private mutating func takeCharacters() -> String {
        let open = Self.openBytes(held)
        let text = String(decoding: held[..<(held.count - open)], as: UTF8.self)
        held.removeFirst(held.count - open)
        return text
    }

    /// Bytes at the end that begin a character which further bytes could complete: 0 to 3.
    static func openBytes(_ bytes: [UInt8]) -> Int {
        for length in stride(from: 1, through: min(3, bytes.count), by: 1) {
            let start = bytes.count - length
            let lead = bytes[start]
            if lead & 0xC0 == 0x80 { continue }
            let width =
                lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 1
            guard width > length else { return 0 }
            return length == 1 || isSecondByte(bytes[start + 1], after: lead) ? length : 0
        }
        return 0
    }

    /// Overlong forms, surrogates and what lies beyond U+10FFFF are told by the second byte.
    private static func isSecondByte(_ byte: UInt8, after lead: UInt8) -> Bool {
        switch lead {
        case 0xE0: return byte >= 0xA0
        case 0xED: return byte <= 0x9F
        case 0xF0: return byte >= 0x90
        case 0xF4: return byte <= 0x8F
        default: return true
        }
    }

    /// The byte that `<0xNN>` stands for.
    static func byte(of text: [UInt8]) -> UInt8? {
        guard text.count == 6, text.starts(with: "<0x".utf8), text[5] == UInt8(ascii: ">") else { return nil }
        guard let high = Character(Unicode.Scalar(text[3])).hexDigitValue,
            let low = Character(Unicode.Scalar(text[4])).hexDigitValue
        else { return nil }
        return UInt8(high * 16 + low)
    }
}
