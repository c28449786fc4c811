/// A tokenizer as plain values, whichever file it came from.
struct TokenizerSpec: Sendable {
    /// Where it came from, for errors: a file's name.
    var place: String
    /// Text of each token by id; nil where an id has none.
    var tokens: [String?]
    /// Ids beyond `tokens` that the model may still use.
    var paddedCount = 0
    var merges: Merges
    var ignoresMerges = false
    var usesByteFallback = false
    var unknownToken: Int32?
    var fusesUnknown = false
    var addedTokens: [AddedToken] = []
    var normalizers: [Normalizer] = []
    var preTokenizers: [PreTokenizer] = []
    var decoder: Decoder
    /// What is put before and after a text with `addSpecial`.
    var prefix: [Int32] = []
    var suffix: [Int32] = []
    var beginToken: Int32?
    var endToken: Int32?
    var endTokens: Set<Int32> = []
    var chatTemplate: String?
    /// One phrase for people: `byte-level BPE (llama-bpe)`.
    var summary: String

    enum Merges: Sendable {
        /// Pairs of token texts, best first.
        case pairs([(String, String)])
        /// Score by id; NaN for tokens that no merge makes.
        case scores([Float])
    }

    static let tokensMax = 1 << 22
}
