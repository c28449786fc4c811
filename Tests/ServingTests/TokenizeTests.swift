import ModelFiles
import Sharding
import Testing
import Tokenizers

@testable import Serving

@Suite("Text to tokens and back")
struct TokenizeTests {
    private let engine = ScriptedEngine { _ in [.finish(.stop)] }

    private func tokenize(_ body: String) async throws -> JSONValue {
        let reply = try await TestServer(engine).post("/tokenize", body)
        #expect(reply.status == 200)
        return try reply.json
    }

    private func ids(_ text: String) throws -> JSONValue {
        .array(try TestModel.tokens(text).map { .integer(Int($0)) })
    }

    @Test("text comes under either name, and the answer has tokens, count and room", arguments: ["content", "prompt"])
    func text(field: String) async throws {
        let json = try await tokenize(#"{"\#(field)": "wörd", "model": "demo"}"#)
        #expect(json["tokens"] == (try ids("wörd")) && json["count"] == .integer(5))
        #expect(json["max_model_len"] == .integer(512) && json["token_strs"] == nil)
        #expect(engine.requests.isEmpty)
    }

    @Test("a conversation becomes what the engine would get, with the beginning of an answer or without")
    func messages() async throws {
        var model = try TestModel.served()
        model.template = try ChatTemplate.named("chatml")
        let server = try TestServer(engine, model: model)
        let messages = #""messages": [{"role": "user", "content": "hi"}]"#
        let json = try await server.post("/tokenize", "{\(messages)}").json
        _ = try await server.chat()
        let prompt = try #require(engine.requests.first?.prompt)
        #expect(json["tokens"] == .array(prompt.map { .integer(Int($0)) }))
        let closed = try await server.post("/tokenize", #"{\#(messages), "add_generation_prompt": false}"#).json
        #expect(try #require(closed["count"]?.integerValue) < prompt.count)
    }

    @Test("pieces are strings, or the bytes of a part of a character")
    func pieces() async throws {
        let tokens = try await tokenize(#"{"content": "aé", "with_pieces": true}"#)["tokens"]?.array ?? []
        #expect(tokens.map { $0["piece"] } == [.string("a"), .array([.integer(195)]), .array([.integer(169)])])
        #expect(tokens.map { $0["id"]?.integerValue } == (try TestModel.tokens("aé").map { Int($0) }))
        let spelt = try await tokenize(#"{"prompt": "a b", "return_token_strs": true}"#)
        #expect(spelt["token_strs"] == .array([.string("a"), .string("Ġ"), .string("b")]))
    }

    @Test("what the model wants around a text comes with a prompt, not with content, unless it is said")
    func special() async throws {
        let model = try TestModel.served(prefix: [TestModel.end])
        func count(_ body: String) async throws -> Int? {
            try await TestServer(engine, model: model).post("/tokenize", body).json["count"]?.integerValue
        }
        #expect(try await count(#"{"content": "ab"}"#) == 2)
        #expect(try await count(#"{"content": "ab", "add_special": true}"#) == 3)
        #expect(try await count(#"{"prompt": "ab"}"#) == 3)
        #expect(try await count(#"{"prompt": "ab", "add_special_tokens": false}"#) == 2)
        #expect(try await count(#"{"content": "<end>"}"#) == 1)
        #expect(try await count(#"{"content": "<end>", "parse_special": false}"#) == 5)
        #expect(try await count(#"{"content": ""}"#) == 0)
    }

    @Test("tokens become text under either name")
    func detokenize() async throws {
        let server = try TestServer(engine)
        let tokens = try TestModel.tokens("wörd").map { "\($0)" }.joined(separator: ",")
        let json = try await server.post("/detokenize", #"{"tokens": [\#(tokens), 256]}"#).json
        #expect(json["content"] == .string("wörd<end>") && json["prompt"] == json["content"])
        #expect(try await server.post("/detokenize", #"{"tokens": []}"#).json["content"] == .string(""))
    }

    @Test(
        "what is no such request is refused with its field",
        arguments: [
            ("/tokenize", "{}", "content"), ("/tokenize", #"{"content": "a", "prompt": "b"}"#, "prompt"),
            ("/tokenize", #"{"content": ["a"]}"#, "content"), ("/tokenize", #"{"prompt": 3}"#, "prompt"),
            ("/tokenize", #"{"messages": []}"#, "messages"), ("/tokenize", #"{"content": "a", "x": 1}"#, "x"),
            ("/tokenize", #"{"content": "a", "with_pieces": 1}"#, "with_pieces"),
            ("/tokenize", #"{"messages": [{"role": "user", "content": "a"}], "tools": [1]}"#, "tools"),
            ("/detokenize", "{}", "tokens"), ("/detokenize", #"{"tokens": "a"}"#, "tokens"),
            ("/detokenize", #"{"tokens": [-1]}"#, "tokens[0]"), ("/detokenize", #"{"tokens": [0, 1280]}"#, "tokens[1]"),
            ("/detokenize", #"{"tokens": [0.5]}"#, "tokens[0]"), ("/detokenize", #"{"tokens": [[0]]}"#, "tokens[0]"),
        ])
    func refused(path: String, body: String, field: String) async throws {
        let reply = try await TestServer(engine).post(path, body)
        #expect(try reply.status == 400 && reply.json["error"]?["param"] == .string(field), "\(reply.text)")
    }

    @Test("another model is 404, and sizes have a bound")
    func bounds() async throws {
        let server = try TestServer(engine)
        #expect(try await server.post("/tokenize", #"{"content": "a", "model": "b"}"#).status == 404)
        #expect(try await server.post("/detokenize", #"{"tokens": [1], "model": "b"}"#).status == 404)
        let long = String(repeating: "a", count: FieldLimits.tokenizedBytesMax + 1)
        #expect(try await server.post("/tokenize", #"{"content": "\#(long)"}"#).status == 400)
        let many = Array(repeating: "1", count: FieldLimits.detokenizedCountMax + 1).joined(separator: ",")
        #expect(try await server.post("/detokenize", #"{"tokens": [\#(many)]}"#).status == 400)
    }
}
