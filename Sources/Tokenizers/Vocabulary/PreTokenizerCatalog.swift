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
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼι"
        + "ῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ"
        + "𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
