import ModelFiles
import Testing

@testable import Tokenizers

@Suite("Tokenizers against references")
struct TokenizerConformanceTests {
    struct Source: Sendable, CustomTestStringConvertible {
        var name: String
        var file: String
        var testDescription: String { "\(name)/\(file)" }

        static let all = ["gpt2", "llama3", "sp-bpe"].flatMap { name in
            ["tokenizer.json", "vocab.gguf"].map { Source(name: name, file: $0) }
        }

        func open() throws -> (Tokenizer, goldens: JSONValue) {
            let folder = "\(Fixtures.conformance)/tokenizers/\(name)"
            return (try Tokenizer.open("\(folder)/\(file)"), try Fixtures.json("\(folder)/goldens.json"))
        }
    }

    @Test("texts are encoded as their goldens", arguments: Source.all)
    func encodes(_ source: Source) throws {
        let (tokenizer, goldens) = try source.open()
        #expect(tokenizer.vocabularySize == goldens["vocab_size"]?.integerValue)
        for entry in try goldens.array("cases") {
            let text = try entry.string("text")
            #expect(try tokenizer.encode(text, addSpecial: false) == entry.ids("ids"), "\(text.debugDescription)")
            #expect(try tokenizer.encode(text) == entry.ids("ids_with_special"), "\(text.debugDescription)")
        }
    }

    @Test("ids are decoded as their goldens, at once and one by one", arguments: Source.all)
    func decodes(_ source: Source) throws {
        let (tokenizer, goldens) = try source.open()
        func check(_ ids: [Int32], _ expected: String, skipSpecial: Bool) throws {
            let decoded = try tokenizer.decode(ids, skipSpecial: skipSpecial)
            #expect(decoded.unicodeScalars.elementsEqual(expected.unicodeScalars), "\(ids)")
            var detokenizer = tokenizer.detokenizer(skipSpecial: skipSpecial)
            let pieces = ids.map { detokenizer.append($0) } + [detokenizer.flush()]
            #expect(pieces.joined().unicodeScalars.elementsEqual(expected.unicodeScalars), "\(ids) \(pieces)")
        }
        for entry in try goldens.array("cases") {
            try check(entry.ids("ids"), entry.string("decoded"), skipSpecial: false)
            try check(entry.ids("ids_with_special"), entry.string("decoded_skip_special"), skipSpecial: true)
        }
        for entry in try goldens.array("decode_only") {
            try check(entry.ids("ids"), entry.string("decoded"), skipSpecial: false)
            try check(entry.ids("ids"), entry.string("decoded_skip_special"), skipSpecial: true)
        }
    }

    @Test("special tokens are those of the goldens", arguments: Source.all)
    func namesSpecialTokens(_ source: Source) throws {
        let (tokenizer, goldens) = try source.open()
        let begin = try #require(goldens["bos_id"]?.integerValue)
        let end = try #require(goldens["eos_id"]?.integerValue)
        #expect(tokenizer.beginToken == Int32(begin))
        #expect(tokenizer.endToken == Int32(end))
        #expect(tokenizer.endTokens.contains(Int32(end)))
        let special = try #require(goldens["special"]?.objectValue)
        for (text, id) in zip(special.keys, special.values) {
            let id = Int32(try #require(id.integerValue))
            #expect(tokenizer.isSpecial(id))
            #expect(tokenizer.token(of: text) == id)
            #expect(tokenizer.text(of: id) == text)
        }
    }

    static let models = ["llama", "mistral", "mistral-window", "qwen2", "qwen3"]

    @Test("the text samples of the models are encoded and decoded as their references", arguments: models)
    func matchesModels(_ name: String) throws {
        let folder = "\(Fixtures.conformance)/models/\(name)"
        let sample = try #require(try Fixtures.json("\(folder)/reference.json")["text_sample"])
        var paths = ["\(folder)/hf"]
        for type in ["f16", "f32", "bf16"] {
            let path = "\(folder)/\(name)-\(type).gguf"
            if (try? MappedFile(path: path)) != nil { paths.append(path) }
        }
        for path in paths {
            let tokenizer = try Tokenizer.open(path)
            #expect(try tokenizer.encode(sample.string("text")) == sample.ids("ids"), "\(path)")
            #expect(try tokenizer.decode(sample.ids("greedy")) == sample.string("greedy_text"), "\(path)")
        }
    }

    @Test(
        "the demo model's conversations are its golden prompts", arguments: ["hf", "demo-f16.gguf", "demo-q8_0.gguf"])
    func matchesDemo(_ file: String) throws {
        let folder = "\(Fixtures.package)/Models/demo"
        let golden = try Fixtures.json("\(folder)/golden.json")
        let tokenizer = try Tokenizer.open("\(folder)/\(file)")
        let template = try ChatTemplate(source: try #require(tokenizer.chatTemplate))
        #expect(tokenizer.endTokens == Set(try golden.ids("stop_ids")))
        for entry in try golden.array("cases") {
            let ids = try entry.ids("prompt_ids")
            #expect(try tokenizer.encode(entry.string("text"), addSpecial: false) == ids)
            if let messages = entry["messages"] {
                var variables = JinjaMap()
                variables["messages"] = JinjaValue(messages)
                variables["add_generation_prompt"] = .bool(true)
                #expect(try template.render(variables.adding(tokensOf: tokenizer)) == entry.string("text"))
            }
            #expect(try tokenizer.decode(entry.ids("output_ids"), skipSpecial: true) == entry.string("output_text"))
        }
    }
}
