/// How the texts of tokens become one text again.
enum Decoder: Sendable {
    /// Token texts are bytes in the byte-level alphabet; a text outside of it stands for itself.
    case byteLevel
    case pieces(PieceDecoding)

    struct PieceDecoding: Sendable {
        /// In each token's text, in order.
        var replacements: [(old: [UInt8], new: [UInt8])] = []
        /// Whether `<0x00>` to `<0xFF>` stand for bytes. A run of them that is no UTF-8 is U+FFFD for each byte.
        var joinsBytes = false
        /// Left out up to `leadingCount` times at the start of the whole text.
        var leading: UInt8 = UInt8(ascii: " ")
        var leadingCount = 0
        /// Left out everywhere in the first token.
        var droppedFromFirst: [UInt8] = []
        /// Put between tokens.
        var separator: [UInt8] = []
    }
}
