import Sharding
import Testing

@testable import Serving

@Suite("Completions")
struct CompletionTests {
    private func answering(_ text: String, _ reason: FinishReason = .stop) throws -> ScriptedEngine {
        let lines = (try TestModel.tokens(text) + [TestModel.end]).lines(reason)
        return ScriptedEngine { _ in lines }
    }

    @Test("a whole chat answer has text, usage and timings")
    func chat() async throws {
        let engine = try answering("hello")
        let reply = try await TestServer(engine).chat(#", "model": "demo", "temperature": 0.5, "max_tokens": 7"#)
        let json = try reply.json
        #expect(reply.status == 200)
        #expect(json.content() == "hello")
        #expect(json["object"] == .string("chat.completion") && json["model"] == .string("demo"))
        #expect(json["created"] == .integer(1_700_000_000))
        #expect(json["choices"]?[0]?["finish_reason"] == .string("stop"))
        #expect(json["choices"]?[0]?["message"]?["role"] == .string("assistant"))
        let request = try #require(engine.requests.first)
        let generated = try TestModel.tokens("hello").count + 1
        #expect(json["usage"]?["prompt_tokens"] == .integer(request.prompt.count))
        #expect(json["usage"]?["completion_tokens"] == .integer(generated))
        #expect(json["usage"]?["total_tokens"] == .integer(request.prompt.count + generated))
        #expect(json["timings"]?["prompt_ms"] == .integer(20) && json["timings"]?["wire_bytes"] == .integer(1000))
        #expect(json["timings"]?["generation_tokens_per_second"] == .integer((generated - 1) * 100))
        #expect(request.sampling.temperature == 0.5 && request.maxTokens == 7 && request.sampling.seed == 7 >> 11)
        #expect(request.endTokens.contains(TestModel.end))
    }

    @Test("a streamed answer has the same text, a role first, a reason last, then [DONE]")
    func chatStream() async throws {
        let reply = try await TestServer(answering("hello wörld", .length))
            .chat(#", "stream": true, "stream_options": {"include_usage": true}"#)
        let chunks = try reply.chunks
        #expect(reply.status == 200 && reply.events.last == "[DONE]")
        #expect(chunks.first?["choices"]?[0]?["delta"]?["role"] == .string("assistant"))
        #expect(try reply.streamed() == "hello wörld")
        let ending = try #require(chunks.dropLast().last)
        #expect(ending["choices"]?[0]?["finish_reason"] == .string("length"))
        #expect(ending["timings"]?["wire_bytes"] == .integer(1000))
        #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })
        #expect(chunks.last?["choices"] == .array([]) && chunks.last?["usage"]?["completion_tokens"] != nil)
        #expect(Set(chunks.map { $0["id"] }).count == 1)
    }

    @Test("a stream that was not asked for usage has none")
    func noUsage() async throws {
        let reply = try await TestServer(answering("a")).chat(#", "stream": true"#)
        #expect(try reply.chunks.allSatisfy { $0["usage"] == nil })
    }

    @Test("a character split over tokens arrives whole", arguments: ["é", "😀", "a→b", "日本"])
    func splitCharacters(text: String) async throws {
        let reply = try await TestServer(answering(text)).chat(#", "stream": true"#)
        #expect(try reply.streamed() == text)
        #expect(!reply.text.contains("\u{FFFD}"))
    }

    /// Plays a token a character, then waits: only a stop string ends its answer.
    private func engineWithStop() throws -> ScriptedEngine {
        let tokens = try "one two STOP three".flatMap { try TestModel.tokens(String($0)) }
        let lines: [ScriptedEngine.Line] = [.begun(cachedTokens: 5)] + tokens.map { .token($0) } + [.gate]
        return ScriptedEngine { _ in lines }
    }

    @Test("a stop string is found across tokens, kept out of the text, and ends the sequence")
    func stopString() async throws {
        let engine = try engineWithStop()
        let reply = try await TestServer(engine).chat(#", "stop": ["zzz", " STOP"]"#)
        await engine.waitUntilDropped()
        #expect(try reply.json.content() == "one two")
        #expect(try reply.json["choices"]?[0]?["finish_reason"] == .string("stop"))
        #expect(try reply.json["timings"]?["wire_bytes"] == nil)
        #expect(try reply.json["timings"]?["cached_tokens"] == .integer(5))
        #expect(try reply.json["usage"]?["prompt_tokens_details"]?["cached_tokens"] == .integer(5))
    }

    @Test("a stop string ends a stream, too")
    func stopStringInStream() async throws {
        let engine = try engineWithStop()
        let reply = try await TestServer(engine).chat(#", "stop": ["zzz", " STOP"], "stream": true"#)
        await engine.waitUntilDropped()
        #expect(try reply.streamed() == "one two")
        #expect(reply.events.last == "[DONE]")
    }

    @Test("the beginning of a stop string that never ends is text")
    func openStop() async throws {
        let reply = try await TestServer(answering("one ST")).chat(#", "stop": "STOP""#)
        #expect(try reply.json.content() == "one ST")
    }

    @Test("n choices have their own index, texts and numbers")
    func choices() async throws {
        let texts = try ["zero", "one", "two"].map { try TestModel.tokens($0) }
        let engine = ScriptedEngine { texts[$0.choice].lines() }
        let server = try TestServer(engine)
        let whole = try await server.chat(#", "n": 3"#).json
        #expect((0..<3).map { whole.content(choice: $0) } == ["zero", "one", "two"])
        #expect(whole["usage"]?["completion_tokens"] == .integer(texts.reduce(0) { $0 + $1.count }))
        #expect(whole["usage"]?["prompt_tokens"] == .integer(engine.requests[0].prompt.count))
        let stream = try await server.chat(#", "n": 3, "stream": true"#)
        #expect(try (0..<3).map { try stream.streamed(choice: $0) } == ["zero", "one", "two"])
        #expect(Set(engine.requests.map(\.choice)) == [0, 1, 2])
    }

    @Test("raw text, tokens and several prompts are completed", arguments: [true, false])
    func text(isStream: Bool) async throws {
        let engine = ScriptedEngine { [$0.prompt.last ?? 0].lines(.length) }
        let server = try TestServer(engine)
        let (a, b) = (try #require(TestModel.tokens("a").last), try #require(TestModel.tokens("b").last))
        let reply = try await server.post(
            "/v1/completions", #"{"prompt": [[\#(a)], [\#(a), \#(b)]], "stream": \#(isStream)}"#)
        if isStream {
            #expect(try [reply.streamed(choice: 0), reply.streamed(choice: 1)] == ["a", "b"])
        } else {
            let json = try reply.json
            #expect(json["object"] == .string("text_completion"))
            #expect(json["choices"]?.array.map { $0["text"] } == [.string("a"), .string("b")])
            #expect(json["usage"]?["prompt_tokens"] == .integer(3))
        }
        #expect(Set(engine.requests.map(\.prompt)) == [[a], [a, b]])
        _ = try await server.post("/v1/completions", #"{"prompt": "b"}"#)
        #expect(try engine.requests.last?.prompt == TestModel.tokenizer.encode("b"))
    }

    @Test("echo repeats each prompt before each of its answers, text and tokens alike", arguments: [true, false])
    func echo(isStream: Bool) async throws {
        let engine = ScriptedEngine { [$0.prompt.last ?? 0].lines(.length) }
        let server = try TestServer(engine)
        let tokens = try TestModel.tokens("wö").map { "\($0)" }.joined(separator: ",")
        for (prompt, texts) in [
            (#"["ab", "cd"]"#, ["abb", "abb", "cdd", "cdd"]), ("[\(tokens)]", ["wö\u{FFFD}", "wö\u{FFFD}"]),
        ] {
            let reply = try await server.post(
                "/v1/completions", #"{"prompt": \#(prompt), "echo": true, "n": 2, "stream": \#(isStream)}"#)
            #expect(reply.status == 200)
            let found = try texts.indices.map { choice in
                isStream
                    ? try reply.streamed(choice: choice) : try reply.json["choices"]?[choice]?["text"]?.string ?? ""
            }
            #expect(found == texts)
        }
    }

    @Test("echo with no token to generate needs no engine", arguments: [true, false])
    func echoAlone(isStream: Bool) async throws {
        let engine = ScriptedEngine { _ in [.finish(.stop)] }
        let reply = try await TestServer(engine).post(
            "/v1/completions",
            #"{"prompt": "abc", "echo": true, "max_tokens": 0, "stream": \#(isStream), "stream_options": null}"#)
        #expect(reply.status == 200 && engine.requests.isEmpty)
        if isStream {
            #expect(try reply.streamed() == "abc" && reply.events.last == "[DONE]")
        } else {
            let json = try reply.json
            #expect(json["choices"]?[0]?["text"] == .string("abc"))
            #expect(json["choices"]?[0]?["finish_reason"] == .string("length"))
            #expect(
                json["usage"]?["completion_tokens"] == .integer(0) && json["usage"]?["prompt_tokens"] == .integer(3))
        }
    }

    @Test("probabilities are reported for each token, and none is infinite")
    func logprobs() async throws {
        let a = try #require(TestModel.tokens("a").last)
        let token = AcceptedToken(
            token: a, logprob: -0.25,
            top: [TokenLogprob(token: a, logprob: -0.25), TokenLogprob(token: 5, logprob: -.infinity)])
        let server = try TestServer(ScriptedEngine { _ in [.token(token), .token(token), .finish(.stop)] })
        let chat = try await server.chat(#", "logprobs": true, "top_logprobs": 2"#).json
        let entries = chat["choices"]?[0]?["logprobs"]?["content"]?.array ?? []
        #expect(entries.count == 2)
        #expect(entries.first?["token"] == .string("a") && entries.first?["logprob"] == .number(-0.25))
        #expect(entries.first?["bytes"] == .array([.integer(97)]))
        #expect(entries.first?["top_logprobs"]?[1]?["logprob"] == .integer(-9999))
        let text = try await server.post("/v1/completions", #"{"prompt": "x", "logprobs": 2}"#).json
        let logprobs = text["choices"]?[0]?["logprobs"]
        #expect(logprobs?["tokens"] == .array([.string("a"), .string("a")]))
        #expect(logprobs?["text_offset"] == .array([.integer(0), .integer(1)]))
    }
}
