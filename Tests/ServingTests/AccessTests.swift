import Foundation
import Sharding
import Testing

@testable import Serving

@Suite("API keys over HTTP")
struct AccessTests {
    private static let alice = "shard-alice-0123456789-0123456789-0123456789"
    private static let bob = "shard-bob-0123456789-0123456789-0123456789"
    private static let lines = "alice = \(alice) priority=7\nbob = \(bob) concurrency=1"
    private static let answering = ScriptedEngine { _ in [.finish(.stop)] }

    private func access(_ text: String = lines) throws -> APIAccess { APIAccess(try APIKeys(text, place: "keys")) }

    @Test(
        "every route but /health and the dashboard's page wants a key, in OpenAI's words and without detail",
        arguments: [
            "/v1/models", "/v1/models/demo", "/ready", "/v1/cluster", "/metrics", "/v1/nothing", "/health/", "//health",
            "/Health",
        ])
    func routes(path: String) async throws {
        let server = try TestServer(Self.answering, access: access())
        let reply = try await server.get(path)
        #expect(reply.status == 401 && reply.challenge == "Bearer realm=\"shard\"")
        let error = try #require(try reply.json["error"])
        #expect(error["code"] == .string("invalid_api_key") && error["type"] == .string("invalid_request_error"))
        #expect(error["param"] == .null && error["message"]?.string?.contains("alice") == false)
        #expect(try await server.get("/health").status == 200)
        #expect(try await server.get("/v1/models", authorization: "Bearer \(Self.alice)").status == 200)
    }

    @Test(
        "what is no key of this server is refused alike",
        arguments: [
            "", "Bearer", "Bearer ", "Bearer x", "Basic \(alice)", alice, "Bearer \(alice)x", "Bearer \(alice), x",
            "Bearer \(alice.dropLast())",
        ])
    func strangers(authorization: String) async throws {
        let engine = ScriptedEngine { _ in [.finish(.stop)] }
        let reply = try await TestServer(engine, access: access()).chat(authorization: authorization)
        #expect(reply.status == 401 && engine.requests.isEmpty && !reply.text.contains("0123456789"))
    }

    @Test("Bearer may be written in any case")
    func scheme() async throws {
        let server = try TestServer(Self.answering, access: access())
        for word in ["Bearer", "bearer", "BEARER", "Bearer  "] {
            #expect(try await server.get("/v1/models", authorization: "\(word) \(Self.alice)").status == 200)
        }
    }

    @Test("a key's name and priority are its requests' owner and priority; without keys all have one owner")
    func owners() async throws {
        let engine = ScriptedEngine { _ in [.finish(.stop)] }
        let server = try TestServer(engine, access: access())
        _ = try await server.chat(authorization: "Bearer \(Self.alice)")
        _ = try await server.chat(authorization: "Bearer \(Self.bob)")
        _ = try await TestServer(engine).chat()
        #expect(engine.requests.map(\.owner) == ["alice", "bob", ""])
        #expect(engine.requests.map(\.priority) == [7, 0, 0])
    }

    @Test(
        "a key has as many requests at a time as it may, streams among them; one more is 429", arguments: [true, false])
    func concurrency(isStream: Bool) async throws {
        let engine = ScriptedEngine { _ in [.gate, .finish(.stop)] }
        let server = try TestServer(engine, access: access())
        async let first = server.chat(#", "stream": \#(isStream)"#, authorization: "Bearer \(Self.bob)")
        for await _ in engine.started.stream { break }
        let second = try await server.chat(authorization: "Bearer \(Self.bob)")
        #expect(second.status == 429 && second.retryAfter == "1")
        #expect(try second.json["error"]?["code"] == .string("rate_limit_exceeded"))
        #expect(try await server.get("/v1/models", authorization: "Bearer \(Self.bob)").status == 200)
        engine.open()
        #expect(try await first.status == 200)
        async let third = server.chat(authorization: "Bearer \(Self.bob)")
        for await _ in engine.started.stream { break }
        engine.open()
        #expect(try await third.status == 200)
    }

    @Test("requests that fail give their place back")
    func failures() async throws {
        let engine = ScriptedEngine { _ in [.fail(EngineError(.failed, "lost"))] }
        let server = try TestServer(engine, access: access())
        for isStream in [true, false, true] {
            let reply = try await server.chat(#", "stream": \#(isStream)"#, authorization: "Bearer \(Self.bob)")
            #expect(reply.status == 500)
        }
    }

    @Test("keys that are replaced count from the next request on")
    func replaced() async throws {
        let access = try access()
        let server = try TestServer(Self.answering, access: access)
        access.replace(try APIKeys("bob = \(Self.alice)", place: "keys"))
        #expect(try await server.get("/v1/models", authorization: "Bearer \(Self.bob)").status == 401)
        #expect(try await server.get("/v1/models", authorization: "Bearer \(Self.alice)").status == 200)
    }

    @Test("with keys it listens beyond loopback, and asks for no name of this machine")
    func address() async throws {
        #expect(throws: ServingError.self) { try ListenAddress(host: "0.0.0.0", port: 0) }
        #expect(throws: ServingError.self) { try ListenAddress(host: "", port: 0, hasKeys: true) }
        #expect(try ListenAddress(host: "0.0.0.0", port: 0, hasKeys: true).isLoopback == false)
    }

    @Test("a file that changes has another stamp, and one that does not has none")
    func stamps() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "shard-stamp-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let missing = FileStamp([path])
        try Data("a".utf8).write(to: URL(filePath: path))
        let first = FileStamp([path])
        #expect(first != missing && first == FileStamp([path]))
        try Data("ab".utf8).write(to: URL(filePath: path), options: .atomic)
        #expect(FileStamp([path]) != first)
        try FileManager.default.removeItem(atPath: path)
        #expect(FileStamp([path]) == missing)
    }
}
