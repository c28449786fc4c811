extension Tokenizer {
    /// What a token stands for in a running text: bytes that can be part of a character; empty for ids without a token.
    package func bytes(of token: Int32) -> [UInt8] {
        guard let text = text(of: token) else { return [] }
        switch decoder {
        case .byteLevel: return ByteAlphabet.decode(text) ?? Array(text.utf8)
        case .pieces(let decoding):
            if decoding.joinsBytes, let byte = Detokenizer.byte(of: Array(text.utf8)) { return [byte] }
            var detokenizer = detokenizer(skipSpecial: false, isContinuation: true)
            return Array((detokenizer.append(token) + detokenizer.flush()).utf8)
        }
    }
}
