import Foundation
import ModelFiles
import Testing

@testable import LoadTesting

@Suite("The client")
struct LoadClientTests {
    private let request = LoadRequest(prompt: 0, symbols: [0, 1, 2], outputTokens: 3, seed: 5)
    private let shape = RequestShape(
        model: "m", prompts: .tokens, ignoresEnd: true, asksUsage: true, temperature: 0, tokenIDs: 300...999)

    private func withClient<Result>(
        _ url: String, key: ServerKey? = nil, timeout: Duration = .seconds(60),
        _ body: (LoadClient) async throws -> Result
    ) async throws -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        let client = LoadClient(try LoadTarget(url: url, key: key, timeout: timeout), connectionsMax: 4) {
            clock.now - start
        }
        do {
            let result = try await body(client)
            try await client.shutdown()
            return result
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private func outcome(
        timeout: Duration = .seconds(60), _ lines: [ScriptedServer.Line]
    ) async throws -> LoadClient.Outcome {
        try await ScriptedServer.run({ _, _ in lines }) { server in
            try await withClient(server.url, timeout: timeout) { await $0.ask(request, as: shape) }
        }
    }

    private func failure(_ outcome: LoadClient.Outcome) -> LoadFailure? {
        if case .failure(let failure) = outcome.result { failure } else { nil }
    }

    @Test("asks for a stream of a completion of token ids, with the key")
    func asks() async throws {
        try await ScriptedServer.run({ _, _ in .texts(["a", "b", "c"]) }) { server in
            let outcome = try await withClient(server.url + "/v1/", key: try ServerKey(" secret\n", from: "test")) {
                await $0.ask(request, as: shape)
            }
            let answer = try outcome.result.get()
            #expect(answer.text == "abc" && answer.tokenCount == 3 && answer.pieces.count == 3)
            #expect(try outcome.begun <= #require(outcome.sent) && answer.pieces[2] <= outcome.ended)
            let sent = try #require(server.requests.all.first)
            #expect(sent.hasPrefix("POST /v1/completions HTTP/1.1\r\n") && sent.contains("Bearer secret\r\n"))
            let body = try #require(sent.components(separatedBy: "\r\n\r\n").last)
            let fields = try JSONValue(parsing: body, file: "body")
            #expect(fields["prompt"] == .array([.integer(300), .integer(301), .integer(302)]))
            #expect(fields["max_tokens"] == .integer(3) && fields["ignore_eos"] == .bool(true))
            #expect(fields["stream"] == .bool(true) && fields["stream_options"]?["include_usage"] == .bool(true))
            #expect(fields["seed"] == nil && fields["model"] == .string("m"))
        }
    }

    @Test("a connection is used again")
    func reuses() async throws {
        try await ScriptedServer.run({ _, number in number == 0 ? .texts(["a"]) : .texts(["b"]) }) { server in
            let outcomes = try await withClient(server.url) { client in
                let first = await client.ask(request, as: shape)
                return [first, await client.ask(request, as: shape)]
            }
            let texts = try outcomes.map { try $0.result.get().text }
            #expect(texts == ["a", "b"])
        }
    }

    @Test("an answer that comes byte by byte is whole")
    func bytes() async throws {
        let text = [ScriptedServer.Line].texts(["ä", "b"]).map { if case .send(let text) = $0 { text } else { "" } }
        let lines = text.joined().unicodeScalars.map { ScriptedServer.Line.send(String($0)) }
        #expect(try await outcome(lines).result.get().text == "äb")
    }

    @Test("streams that end without [DONE] are broken, closed properly or not")
    func broken() async throws {
        let piece = "{\"choices\": [{\"text\": \"a\"}]}"
        #expect(failure(try await outcome(.stream([piece], done: false)))?.kind == .broken)
        let cut = Array([ScriptedServer.Line].stream([piece], done: false).dropLast()) + [.close]
        let found = failure(try await outcome(cut))
        #expect(found?.kind == .broken && found?.detail.contains("after 1 pieces") == true)
    }

    @Test("an error in the stream is counted as that, even with a [DONE] behind it")
    func errorEvent() async throws {
        let found = failure(try await outcome(.stream(["{\"error\": {\"message\": \"lost\"}}"])))
        #expect(found?.kind == .errorEvent && found?.detail == "lost")
    }

    @Test("429 and 503 are refusals, with the time after which to come again")
    func refusals() async throws {
        let body = "{\"error\": {\"message\": \"queue full\"}}"
        let first = failure(try await outcome(.whole("429 Too Many Requests", body, "Retry-After: 2\r\n")))
        #expect(first == LoadFailure(.refused(429), "queue full", retryAfter: .seconds(2)))
        let second = failure(try await outcome(.whole("503 Service Unavailable", body, "Retry-After: soon\r\n")))
        #expect(second == LoadFailure(.refused(503), "queue full"))
    }

    @Test("other statuses are errors, whatever their body")
    func statuses() async throws {
        #expect(failure(try await outcome(.whole("500 No", "{\"error\": \"x\"}"))) == LoadFailure(.status(500), "x"))
        #expect(failure(try await outcome(.whole("404 No", "not here"))) == LoadFailure(.status(404), "not here"))
        #expect(failure(try await outcome(.whole("400 No", ""))) == LoadFailure(.status(400), "without a body"))
        let long = failure(try await outcome(.whole("500 No", String(repeating: "x", count: 1 << 20))))
        #expect((long?.detail.count ?? 0) < 400 && long?.kind == .status(500))
    }

    @Test("a whole answer where a stream was asked for is malformed")
    func notStreamed() async throws {
        #expect(failure(try await outcome(.whole("200 OK", "{\"choices\": []}")))?.kind == .malformed)
    }

    @Test("no HTTP, nobody there, nobody who answers")
    func connections() async throws {
        #expect(failure(try await outcome([.send("hello\r\n\r\n"), .close]))?.kind == .connection)
        #expect(failure(try await outcome([.close]))?.kind == .connection)
        let url = try await ScriptedServer.run({ _, _ in [] }) { $0.url }
        let refused = try await withClient(url) { await $0.ask(request, as: shape) }
        #expect(failure(refused)?.kind == .connection && refused.sent == nil)
        #expect(failure(refused)?.detail.contains("refused") == true, "\(failure(refused)?.detail ?? "")")
        #expect(failure(try await outcome(timeout: .milliseconds(50), [.hang]))?.kind == .timeout)
    }

    @Test("names of models are those of the list")
    func models() async throws {
        let list = [ScriptedServer.Line].whole("200 OK", "{\"data\": [{\"id\": \"one\"}, {\"id\": \"two\"}, {}]}")
        try await ScriptedServer.run({ _, _ in list }) { server in
            let models = try await withClient(server.url) { try await $0.models() }
            #expect(models == ["one", "two"])
        }
        try await ScriptedServer.run({ _, _ in .whole("404 No", "") }) { server in
            _ = await #expect(throws: LoadFailure.self) {
                try await withClient(server.url) { try await $0.models() }
            }
        }
    }

    @Test(
        "what is no server's URL is refused",
        arguments: [
            "", "127.0.0.1:8080", "ftp://x", "http://", "http://u:p@x", "http://x/?a=1", "http://x/#a", "not a url",
        ])
    func urls(text: String) {
        #expect(throws: LoadFailure.self) { try LoadTarget(url: text, key: nil, timeout: .seconds(1)) }
    }

    @Test("a key is one printable word, and is never shown")
    func keys() throws {
        #expect("\(try ServerKey("abc", from: "x"))" == "(secret)")
        for text in ["", " ", "a b", "a\nb", "ä", String(repeating: "x", count: 5000)] {
            let error = #expect(throws: LoadFailure.self) { try ServerKey(text, from: "file") }
            #expect(error?.detail.contains("file") == true)
        }
    }
}
