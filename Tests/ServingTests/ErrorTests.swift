import Sharding
import Testing

@testable import Serving

@Suite("Errors over HTTP")
struct ErrorTests {
    private static let silent = ScriptedEngine { _ in [.finish(.stop)] }

    @Test(
        "what the engine refuses has its status, before a stream has begun too", arguments: [true, false],
        [
            (EngineError(.invalidRequest, "no"), 400, "invalid_value", nil),
            (EngineError(.contextLengthExceeded, "too long"), 400, "context_length_exceeded", nil),
            (EngineError(.overloaded, "full"), 429, "rate_limit_exceeded", "1"),
            (EngineError(.unavailable, "worker b is gone"), 503, "service_unavailable", "2"),
            (EngineError(.failed, "worker b died"), 500, "server_error", nil),
        ] as [(EngineError, Int, String, String?)])
    func engineErrors(isStream: Bool, expected: (error: EngineError, status: Int, code: String, retryAfter: String?))
        async throws
    {
        let refusing = ScriptedEngine { _ throws(EngineError) in throw expected.error }
        let failing = ScriptedEngine { _ in [.fail(expected.error)] }
        for engine in [refusing, failing] {
            let reply = try await TestServer(engine).chat(#", "stream": \#(isStream)"#)
            #expect(reply.status == expected.status && reply.retryAfter == expected.retryAfter)
            let error = try reply.json["error"]
            #expect(error?["code"] == .string(expected.code))
            #expect(error?["message"] == .string(expected.error.message))
            #expect(error?["type"] != nil && error?["param"] == .null)
        }
    }

    @Test("what fails after the first token has a status too when the answer is whole")
    func late() async throws {
        let token = try #require(TestModel.tokens("a").last)
        let engine = ScriptedEngine { _ in [.token(token), .fail(EngineError(.failed, "worker b died"))] }
        #expect(try await TestServer(engine).chat().status == 500)
    }

    @Test("an engine that ends without a result is an error, never an empty answer", arguments: [true, false])
    func ended(isStream: Bool) async throws {
        let reply = try await TestServer(ScriptedEngine { _ in [.end] }).chat(#", "stream": \#(isStream)"#)
        #expect(reply.status == 500)
    }

    @Test("one failed choice fails the request and drops the others")
    func choices() async throws {
        let engine = ScriptedEngine { $0.choice == 1 ? [.fail(EngineError(.failed, "lost"))] : [.gate] }
        #expect(try await TestServer(engine).chat(#", "n": 2"#).status == 500)
        await engine.waitUntilDropped()
    }

    @Test("a prompt that does not fit is refused with both numbers before it reaches the engine")
    func contextLength() async throws {
        let engine = ScriptedEngine(contextLength: 8) { _ in [.finish(.stop)] }
        let reply = try await TestServer(engine).chat(text: "a much longer text than eight tokens can hold")
        #expect(reply.status == 400)
        #expect(try reply.json["error"]?["code"] == .string("context_length_exceeded"))
        #expect(try reply.json["error"]?["message"]?.string?.contains("context holds 8") == true)
        #expect(engine.requests.isEmpty)
    }

    @Test("wrong fields, wrong JSON and wrong models say so")
    func requests() async throws {
        let server = try TestServer(Self.silent)
        let field = try await server.chat(#", "temperature": 9"#)
        #expect(try field.status == 400 && field.json["error"]?["param"] == .string("temperature"))
        let syntax = try await server.post("/v1/chat/completions", "{")
        #expect(try syntax.status == 400 && syntax.json["error"]?["code"] == .string("invalid_json"))
        let empty = try await server.post("/v1/chat/completions", "")
        #expect(empty.status == 400)
        let model = try await server.chat(#", "model": "gpt-5""#)
        #expect(try model.status == 404 && model.json["error"]?["code"] == .string("model_not_found"))
        let prompt = try await server.post("/v1/completions", #"{"prompt": 3}"#)
        #expect(try prompt.status == 400 && prompt.json["error"]?["param"] == .string("prompt"))
    }

    @Test("a model without a template is not asked to chat")
    func noTemplate() async throws {
        var model = try TestModel.served()
        model.template = nil
        let reply = try await TestServer(Self.silent, model: model).chat()
        #expect(try reply.status == 400 && reply.json["error"]?["message"]?.string?.contains("template") == true)
    }

    @Test(
        "other routes are 404 with JSON that lists what there is",
        arguments: ["/v1", "/v1/chat", "/v1/images"])
    func routes(path: String) async throws {
        let reply = try await TestServer(Self.silent).get(path)
        #expect(reply.status == 404)
        #expect(try reply.json["error"]?["message"]?.string?.contains("/v1/models") == true)
    }

    @Test("a method that a route does not have is 405 and names those that it has")
    func method() async throws {
        let reply = try await TestServer(Self.silent).get("/v1/chat/completions")
        #expect(reply.status == 405)
        #expect(try reply.json["error"]?["code"] == .string("method_not_allowed"))
        #expect(try reply.json["error"]?["message"]?.string?.contains("expected POST, got GET") == true)
    }

    @Test("a body beyond the limit is 413")
    func body() async throws {
        var limits = ServingLimits()
        limits.bodyBytesMax = 100
        let reply = try await TestServer(Self.silent, limits: limits).chat(text: String(repeating: "a", count: 100))
        #expect(try reply.status == 413 && reply.json["error"]?["code"] == .string("request_too_large"))
    }

    @Test("a request line beyond the limit is 414")
    func requestLine() async throws {
        #expect(try await TestServer(Self.silent).get("/" + String(repeating: "a", count: 9000)).status == 414)
    }

    @Test("models, health and readiness are told")
    func status() async throws {
        let server = try TestServer(Self.silent)
        #expect(try await server.get("/v1/models").json["data"]?[0]?["id"] == .string("demo"))
        #expect(try await server.get("/v1/models/demo").json["id"] == .string("demo"))
        #expect(try await server.get("/v1/models/other").status == 404)
        #expect(try await server.get("/health").status == 200)
        #expect(try await server.get("/ready").status == 200)
        let loading = try TestServer(
            ScriptedEngine(readiness: .notReady("worker b is loading (41 %)")) { _ in [.finish(.stop)] })
        #expect(try await loading.get("/health").status == 200)
        let ready = try await loading.get("/ready")
        #expect(ready.status == 503 && ready.text.contains("worker b is loading"))
    }
}
