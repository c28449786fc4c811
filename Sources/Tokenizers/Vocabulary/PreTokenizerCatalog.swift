/// What a name in `tokenizer.ggml.pre` stands for: the pre-tokenizer of the tokenizer.json that the name was made for.
struct NamedPreTokenizer: Sendable {
    var names: [String]
    /// Each cuts what those before it left, matches on their own.
    var patterns: [String]
    var ignoresMerges = false
    /// Whether texts begin with BOS where the file does not say.
    var addsBegin = false
    var normalizers: [Normalizer] = []

    static func named(_ name: String, place: String) throws(TokenizerError) -> NamedPreTokenizer {
        guard let found = all.first(where: { $0.names.contains(name) }) else {
            throw TokenizerError(
                .unsupported, "\(place): tokenizer.ggml.pre", "unknown pre-tokenizer \(TokenizerError.quoted(name))",
                hint: "known are \(all.flatMap(\.names).joined(separator: ", "))")
        }
        return found
    }

    /// GPT-2's, which `ByteLevel` of tokenizer.json also uses.
    static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    static let all: [NamedPreTokenizer] = [
        NamedPreTokenizer(
            names: ["default"], patterns: [#"[\p{P}\$\+<=>\^~\|]+"#, gpt2Pattern, #"\p{N}+"#, #"[0-9][0-9][0-9]"#]),
        NamedPreTokenizer(
            names: [
                "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat",
                "a.x-4.0", "mellum",
                "roberta-bpe", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code",
            ], patterns: [gpt2Pattern]),
        NamedPreTokenizer(
            names: ["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"],
            patterns: [words(digits: #"\p{N}{1,3}"#)], ignoresMerges: true, addsBegin: true),
        NamedPreTokenizer(
            names: ["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], patterns: [words(digits: #"\p{N}{1,3}"#)]),
        NamedPreTokenizer(
            names: ["qwen2", "deepseek-r1-qwen", "kormo", "megrez"], patterns: [words(digits: #"\p{N}"#)],
            normalizers: [.unicode(.nfc)]),
        NamedPreTokenizer(names: ["stablelm2", "hunyuan", "grok-2"], patterns: [words(digits: #"\p{N}"#)]),
        NamedPreTokenizer(
            names: ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"],
            patterns: [#"\p{N}"#, gpt2Pattern]),
        NamedPreTokenizer(
            names: ["falcon"], patterns: [#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2Pattern, #"[0-9][0-9][0-9]"#]),
        NamedPreTokenizer(
            names: ["deepseek-llm"],
            patterns: [
                #"[\r\n]"#, #"\s?["# + casedLetters + "]+", #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#,
                #"[一-龥ࠀ-一가-\x{D7FF}]+"#,
                #"\p{N}+"#,
            ]),
        NamedPreTokenizer(
            names: ["deepseek-coder"],
            patterns: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, #"[一-龥ࠀ-一가-\x{D7FF}]+"#, #"\p{N}"#]),
        NamedPreTokenizer(
            names: ["deepseek-v3", "hunyuan-dense"],
            patterns: [
                #"\p{N}{1,3}"#, #"[一-龥\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"#,
                ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
                    + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
            ]),
        NamedPreTokenizer(
            names: ["gpt-4o", "llama4", "minimax-m2"],
            patterns: [casedWords(ending: contractions + "?", digits: #"\p{N}{1,3}"#)]),
        NamedPreTokenizer(
            names: ["tekken"], patterns: [casedWords(ending: "", digits: #"\p{N}"#)], ignoresMerges: true,
            addsBegin: true),
        NamedPreTokenizer(names: ["poro-chat", "bloom", "gpt3-finnish"], patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#]),
        NamedPreTokenizer(names: ["viking"], patterns: [#" ?[^(\s|.,!?…。，、।۔،)]+"#, #"\p{N}"#]),
        NamedPreTokenizer(
            names: ["seed-coder"],
            patterns: [
                contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]),
        NamedPreTokenizer(
            names: ["bailingmoe", "bailingmoe2", "llada-moe"],
            patterns: [
                #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
            ]),
    ]

    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"

    /// Words that may take one character before them, numbers cut into groups, symbols with the line ends after them.
    private static func words(digits: String) -> String {
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The same, but a word is also cut where a capital follows a small letter.
    private static func casedWords(ending: String, digits: String) -> String {
        let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
        let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
        let start = #"[^\r\n\p{L}\p{N}]?"#
        return start + upper + "*" + lower + "+" + ending + "|" + start + upper + "+" + lower + "*" + ending + "|"
            + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// Letters that have case, as DeepSeek LLM lists them.
    private static let casedLetters =
        #"A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF}"#
        + #"\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}"#
        + #"\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}"#
        + #"\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}"#
        + #"\x{1D79}-\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}"#
        + #"\x{1F50}-\x{1F57}\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}"#
        + #"\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}"#
        + #"\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}"#
        + #"\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}"#
        + #"\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}"#
        + #"\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}"#
        + #"\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}"#
        + #"\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}"#
        + #"\x{1E900}-\x{1E943}"#
}
