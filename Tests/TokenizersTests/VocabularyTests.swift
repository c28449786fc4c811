import ModelFiles
import Testing

@testable import Tokenizers

@Suite("Vocabularies of all kinds")
struct VocabularyTests {
    /// Bytes, `<unk>` and pieces, as SentencePiece numbers them.
    private static let bytes = (0..<256).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x" + (digits.count == 1 ? "0" : "") + digits + ">"
    }

    private func pieces(_ pieces: [(String, Float)], _ more: [(String, GGUFBuilder.Value)] = []) throws -> Tokenizer {
        let tokens = ["<unk>", "<s>", "</s>"] + Self.bytes + pieces.map(\.0)
        let model = try GGUFBuilder(
            entries: [
                ("tokenizer.ggml.model", .string("llama")), ("tokenizer.ggml.tokens", .strings(tokens)),
                ("tokenizer.ggml.scores", .floats(Array(repeating: 0, count: 259) + pieces.map(\.1))),
                (
                    "tokenizer.ggml.token_type",
                    .integers([2, 3, 3] + Array(repeating: 6, count: 256) + pieces.map { _ in 1 })
                ),
            ] + more
        ).open()
        return try Tokenizer(model: model)
    }

    private func byteLevel(
        _ tokens: [String], _ merges: [String], _ more: [(String, GGUFBuilder.Value)] = []
    ) throws -> Tokenizer {
        let model = try GGUFBuilder(
            entries: [
                ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.tokens", .strings(tokens)),
                ("tokenizer.ggml.merges", .strings(merges)),
            ] + more
        ).open()
        return try Tokenizer(model: model)
    }

    private func json(_ text: String) throws -> Tokenizer {
        let file = MappedFile(bytes: Array(text.utf8), name: "tokenizer.json")
        return try Tokenizer(TokenizerSpec.json(TokenizerJSON(file.bytes, file: file.name), config: nil))
    }

    private func message(_ open: () throws -> Tokenizer) throws -> String {
        do {
            _ = try open()
            Issue.record("a wrong vocabulary was accepted")
            return ""
        } catch {
            let text = "\(error)"
            #expect(!text.contains("\n"))
            return text
        }
    }

    // MARK: Encoding

    @Test("the best score merges first, and what is no token falls back to bytes")
    func mergesByScore() throws {
        let tokenizer = try pieces([("▁", -1), ("a", -2), ("b", -3), ("ab", -5), ("▁a", -4), ("bb", -9)])
        #expect(try tokenizer.encode("ab", addSpecial: false) == [263, 261])
        #expect(try tokenizer.encode("abb", addSpecial: false) == [263, 264])
        #expect(try tokenizer.encode("é", addSpecial: false) == [259, 3 + 0xC3, 3 + 0xA9])
        #expect(try tokenizer.encode("a") == [1, 263])
        #expect(try tokenizer.decode([1, 263, 261], skipSpecial: true) == "ab")
    }

    @Test("add_space_prefix is obeyed both ways")
    func obeysSpacePrefix() throws {
        let tokenizer = try pieces([("▁", -1), ("a", -2)], [("tokenizer.ggml.add_space_prefix", .bool(false))])
        #expect(try tokenizer.encode("a a", addSpecial: false) == [260, 259, 260])
        #expect(try tokenizer.decode([259, 260]) == " a")
    }

    @Test("special tokens in a text are recognised only when asked for")
    func parsesSpecial() throws {
        let tokenizer = try pieces([("▁", -1), ("<", -2), ("s", -3), (">", -4)])
        #expect(try tokenizer.encode("<s>", addSpecial: false) == [1])
        #expect(try tokenizer.encode("<s>", addSpecial: false, parseSpecial: false) == [259, 260, 261, 262])
    }

    @Test("a megabyte of one letter is encoded without quadratic cost", arguments: [true, false])
    func encodesLongRuns(_ isScored: Bool) throws {
        let levels = (0..<8).map { String(repeating: "a", count: 1 << $0) }
        let count = 1 << 20
        let text = String(repeating: "a", count: count)
        let ids: [Int32]
        let last: Int32
        if isScored {
            let tokenizer = try pieces([("▁", -100)] + levels.enumerated().map { ($1, -Float($0)) })
            ids = try tokenizer.encode(text, addSpecial: false)
            last = 259 + 8
            #expect(ids.first == 259)
            #expect(ids.dropFirst().allSatisfy { $0 == last })
        } else {
            let merges = levels.dropLast().map { "\($0) \($0)" }
            let tokenizer = try byteLevel(levels, merges, [("tokenizer.ggml.pre", .string("gpt-2"))])
            ids = try tokenizer.encode(text)
            last = 7
            #expect(ids.allSatisfy { $0 == last })
        }
        #expect(ids.filter { $0 == last }.count == count / 128)
    }

    @Test("megabytes of blanks, line ends or digits are split", arguments: [" ", "\n", " \n", "1", "!", "\u{301}"])
    func splitsLongRuns(_ unit: String) throws {
        let tokenizer = try Tokenizer.open("\(Fixtures.conformance)/tokenizers/llama3/vocab.gguf")
        let text = String(repeating: unit, count: 1 << 18)
        let ids = try tokenizer.encode(text, addSpecial: false)
        #expect(try tokenizer.decode(ids).utf8.count == text.utf8.count)
    }

    // MARK: Decoding

    @Test("text comes in whole characters, one by one as at once")
    func streamsCharacters() throws {
        let tokenizer = try pieces([("▁", -1), ("x", -2)])
        var detokenizer = tokenizer.detokenizer()
        let ids = Array("👋é".utf8).map { Int32($0) + 3 }
        #expect(ids.map { detokenizer.append($0) }.joined().isEmpty)
        #expect(detokenizer.append(260) == "👋éx")
        #expect(detokenizer.append(3 + 0xF0).isEmpty)
        #expect(detokenizer.append(3 + 0x9F).isEmpty)
        #expect(detokenizer.flush() == "\u{FFFD}\u{FFFD}")
    }

    @Test("the bytes that stay open are just those that more could complete")
    func findsOpenBytes() {
        for scalar in ["a", "é", "€", "👋", "\u{D7FF}", "\u{E000}", "\u{10FFFF}", "\u{800}", "\u{10000}"] {
            let bytes = Array(scalar.utf8)
            for length in 1...bytes.count {
                let open = Detokenizer.openBytes(Array("x".utf8) + bytes[..<length])
                #expect(open == (length == bytes.count ? 0 : length))
            }
        }
        for bytes in [
            [0x80], [0xC0], [0xC1], [0xF5], [0xFF], [0xE0, 0x80], [0xED, 0xA0], [0xF0, 0x80], [0xF4, 0x90],
        ] {
            #expect(Detokenizer.openBytes(bytes.map { UInt8($0) }) == 0)
        }
    }

    @Test("a continuation keeps the blank before its first word")
    func continues() throws {
        let tokenizer = try pieces([("▁", -1), ("a", -2), ("▁a", -3)])
        var detokenizer = tokenizer.detokenizer(isContinuation: true)
        #expect(detokenizer.append(261) == " a")
        #expect(try tokenizer.decode([261]) == "a")
    }

    @Test(
        "ids outside of the vocabulary are refused at once and silent one by one",
        arguments: [-1, 260, Int32.max, Int32.min])
    func refusesIDs(_ id: Int32) throws {
        let tokenizer = try pieces([("a", -1)])
        #expect(throws: TokenizerError.self) { try tokenizer.decode([id]) }
        var detokenizer = tokenizer.detokenizer()
        #expect(detokenizer.append(id).isEmpty)
        #expect(tokenizer.text(of: id) == nil)
    }

    // MARK: Wrong files

    @Test("an unknown pre-tokenizer is refused with those that are known")
    func refusesUnknownPreTokenizers() throws {
        let message = try message { try byteLevel(["a"], [], [("tokenizer.ggml.pre", .string("nonesuch\n"))]) }
        #expect(message.contains("'nonesuch"))
        #expect(message.contains("llama-bpe"))
    }

    @Test("every named pre-tokenizer compiles", arguments: NamedPreTokenizer.all.flatMap(\.names))
    func compilesPatterns(_ name: String) throws {
        let alphabet = ByteAlphabet.encoded.map { String(decoding: $0, as: UTF8.self) }
        let tokenizer = try byteLevel(alphabet, [], [("tokenizer.ggml.pre", .string(name))])
        let text = "It's 1234 tests, naïve  café\n\n你好 Привет-мир!\t "
        let ids = try tokenizer.encode(text, addSpecial: false)
        #expect(try tokenizer.decode(ids) == text)
    }

    @Test("contradictions in a GGUF vocabulary are refused, one line each")
    func refusesContradictions() throws {
        #expect(try message { try byteLevel(["a", "b", "a"], []) }.contains("tokens 0 and 2 are both 'a'"))
        #expect(try message { try byteLevel(["a", "b"], ["a b"]) }.contains("join"))
        #expect(try message { try byteLevel(["a", "b"], ["ab"]) }.contains("blank between"))
        #expect(try message { try byteLevel([], []) }.contains("expected 1 to"))
        #expect(
            try message { try byteLevel(["a"], [], [("tokenizer.ggml.bos_token_id", .integer(7))]) }
                .contains("bos_token_id"))
        #expect(
            try message { try byteLevel(["a"], [], [("tokenizer.ggml.add_bos_token", .bool(true))]) }
                .contains("bos_token_id"))
        #expect(
            try message { try byteLevel(["a"], [], [("tokenizer.ggml.token_type", .integers([1, 1]))]) }
                .contains("token_type"))
        #expect(try message { try pieces([("a", .nan)]) }.contains("scores"))
        #expect(
            try message {
                try Tokenizer(
                    model: GGUFBuilder(entries: [
                        ("tokenizer.ggml.model", .string("bert")), ("tokenizer.ggml.tokens", .strings(["a"])),
                    ]).open())
            }.contains("gpt2"))
        #expect(try message { try Tokenizer(model: GGUFBuilder(entries: []).open()) }.contains("tokenizer.ggml"))
    }

    @Test("merges that lead in circles end")
    func endsCircles() throws {
        let tokenizer = try byteLevel(
            ["a", "aa", "aaa"], ["a a", "aa a", "a aa"], [("tokenizer.ggml.pre", .string("gpt-2"))])
        #expect(try tokenizer.encode("aaaaa") == [1, 2])
    }

    @Test(
        "what tokenizer.json asks for and is not known is refused by name",
        arguments: [
            (#""model": {"type": "Unigram", "vocab": []}"#, "Unigram"),
            (#""model": {"vocab": {"a": 0}, "merges": []}, "normalizer": {"type": "Precompiled"}"#, "Precompiled"),
            (
                #""model": {"vocab": {"a": 0}, "merges": []}, "pre_tokenizer": {"type": "BertPreTokenizer"}"#,
                "BertPreTokenizer"
            ),
            (#""model": {"vocab": {"a": 0}, "merges": []}, "decoder": {"type": "WordPiece"}"#, "WordPiece"),
            (#""model": {"vocab": {"a": 0}, "merges": []}, "post_processor": {"type": "Odd"}"#, "Odd"),
            (#""model": {"vocab": {"a": 4000000}, "merges": []}"#, "4000000"),
            (#""model": {"vocab": {"a": -1}, "merges": []}"#, "-1"),
            (#""model": {"vocab": {"a": 0, "b": 0}, "merges": []}"#, "token 0 is both"),
            (#""model": {"vocab": {"a": 0, "a": 1}, "merges": []}"#, "tokens 0 and 1 are both"),
            (#""model": {"vocab": {"a": 0}, "merges": [["a"]]}"#, "pair"),
            (#""model": {"vocab": {"a": 0}, "merges": [["a", "b", "c"]]}"#, "pair"),
            (#""model": {"vocab": {"a": 0}, "merges": ["a b"]}"#, "join"),
            (#""model": {"vocab": {"a": 0}, "merges": []}, "model": {}"#, "model again"),
            (#""model": {"vocab": {"a": 0}, "merges": [], "unk_token": "b"}"#, "unk_token"),
            (
                #""model": {"vocab": {"a": 0}}, "pre_tokenizer": {"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "("}}"#,
                "'('"
            ),
            (#""added_tokens": [{"id": 5}], "model": {"vocab": {"a": 0}}"#, "added_tokens[0]"),
            (#""version": "1.0""#, "model"),
        ])
    func refusesUnknownParts(_ fields: String, _ expected: String) throws {
        let message = try message { try json("{\(fields)}") }
        #expect(message.contains(expected), "\(message)")
    }

    @Test("a pattern that would backtrack without end is stopped")
    func stopsPatterns() throws {
        let tokenizer = try json(
            #"{"model": {"vocab": {"a": 0}, "merges": []}, "pre_tokenizer": "#
                + #"{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "(a+)+[bc]"}}}"#)
        let error = #expect(throws: TokenizerError.self) { try tokenizer.encode(String(repeating: "a", count: 100)) }
        #expect(error?.code == .limit)
    }

    @Test("both spellings of merges are read")
    func readsMerges() throws {
        for merges in [#"["a b", "ab c"]"#, #"[["a", "b"], ["ab", "c"]]"#] {
            let tokenizer = try json(
                #"{"model": {"vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}, "merges": \#(merges)}}"#)
            #expect(try tokenizer.encode("abcab") == [4, 3])
        }
    }

    @Test("letters that only look alike are different tokens")
    func comparesBytes() throws {
        let tokenizer = try json(
            "{\"model\": {\"vocab\": {\"\u{E9}\": 0, \"e\u{301}\": 1, \"e\": 2, \"\u{301}\": 3}, \"merges\": [[\"e\", \"\u{301}\"]]}}"
        )
        #expect(try tokenizer.encode("\u{E9}e\u{301}") == [0, 1])
    }
}
