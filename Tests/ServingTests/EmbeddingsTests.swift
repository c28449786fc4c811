import Foundation
import ModelFiles
import Sharding
import Testing

@testable import Serving

/// The engine's embedding of some tokens is their number and their sum.
@Suite("Embeddings")
struct EmbeddingsTests {
    private let server: TestServer

    init() throws { server = try TestServer(ScriptedEngine(contextLength: 8) { _ in [.finish(.stop)] }) }

    private func post(_ fields: String) async throws -> Reply { try await server.post("/v1/embeddings", "{\(fields)}") }

    @Test("a text's vector has length 1, and its tokens are counted")
    func one() async throws {
        let json = try await post(#""input": [4, 1], "model": "demo", "user": "eva""#).json
        #expect(json["object"] == .string("list") && json["model"] == .string("demo"))
        let item = json["data"]?[0]
        #expect(item?["object"] == .string("embedding") && item?["index"] == .integer(0))
        let values = item?["embedding"]?.array.compactMap(\.numberValue) ?? []
        #expect(values.count == 2)
        #expect(abs(values[0] - 2 / 29.0.squareRoot()) < 1e-6 && abs(values[1] - 5 / 29.0.squareRoot()) < 1e-6)
        #expect(json["usage"]?["prompt_tokens"] == .integer(2) && json["usage"]?["total_tokens"] == .integer(2))
    }

    @Test("several texts, as text or tokens, have their vectors in their order")
    func several() async throws {
        let json = try await post(#""input": ["ab", [3, 4, 5], "w"]"#).json
        let items = json["data"]?.array ?? []
        #expect(items.map { $0["index"] } == [.integer(0), .integer(1), .integer(2)])
        #expect(json["usage"]?["prompt_tokens"] == .integer(6))
        // 3 tokens with the sum 12.
        let values = items[1]["embedding"]?.array.compactMap(\.numberValue) ?? []
        #expect(abs(values[1] / values[0] - 4) < 1e-5)
    }

    @Test("base64 has the same numbers as f32, little-endian")
    func base64() async throws {
        let numbers = try await post(#""input": [4, 1]"#).json["data"]?[0]?["embedding"]?.array.compactMap(
            \.numberValue)
        let text = try await post(#""input": [4, 1], "encoding_format": "base64""#).json["data"]?[0]?["embedding"]?
            .string
        let bytes = try #require(text.flatMap { Data(base64Encoded: $0) })
        let values = stride(from: 0, to: bytes.count, by: 4).map { first in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[first + $1]) << (8 * $1) })
        }
        #expect(values == numbers?.map { Float($0) })
    }

    @Test("a text may fill the context, and not more")
    func context() async throws {
        #expect(try await post(#""input": "12345678""#).status == 200)
        let long = try await post(#""input": ["a", "123456789"]"#)
        #expect(long.status == 400)
        #expect(try long.json["error"]?["code"] == .string("context_length_exceeded"))
        #expect(try long.json["error"]?["param"] == .string("input"))
    }

    @Test(
        "what is no such request is refused with its field",
        arguments: [
            ("", "input"), (#""input": []"#, "input"), (#""input": """#, "input"), (#""input": 3"#, "input"),
            (#""input": [[]]"#, "input[0]"), (#""input": ["a", 3]"#, "input[1]"), (#""input": [1, "a"]"#, "input[1]"),
            (#""input": [1280]"#, "input[0]"), (#""input": "a", "dimensions": 2"#, "dimensions"),
            (#""input": "a", "encoding_format": "int8""#, "encoding_format"), (#""input": "a", "n": 2"#, "n"),
        ])
    func refused(fields: String, field: String) async throws {
        let reply = try await post(fields)
        #expect(try reply.status == 400 && reply.json["error"]?["param"] == .string(field), "\(reply.text)")
    }

    @Test("the number of texts has a bound, and another model is 404")
    func bounds() async throws {
        let texts = { (count: Int) in Array(repeating: "\"a\"", count: count).joined(separator: ",") }
        #expect(try await post("\"input\": [\(texts(32))]").json["data"]?.array.count == 32)
        #expect(try await post("\"input\": [\(texts(33))]").status == 400)
        #expect(try await post(#""input": "a", "model": "x""#).status == 404)
    }

    @Test("what the engine refuses has its status")
    func engineErrors() async throws {
        let engine = ScriptedEngine(embeddingFailure: .refused(EngineError(.overloaded, "full"))) { _ in [] }
        let reply = try await TestServer(engine).post("/v1/embeddings", #"{"input": ["a", "b"]}"#)
        #expect(
            try reply.status == 429 && reply.retryAfter == "1" && reply.json["error"]?["message"] == .string("full"))
    }

    @Test("a client that leaves ends all of its texts")
    func disconnect() async throws {
        let engine = ScriptedEngine(embeddingFailure: .waits) { _ in [] }
        try await TestServer.serve(engine) { port, _, service in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/embeddings", #"{"input": ["a", "b"]}"#)
                for await _ in engine.started.stream { break }
            }
            await engine.waitUntilDropped()
        }
    }

    @Test("a stopping server ends them with an error")
    func drain() async throws {
        let engine = ScriptedEngine(embeddingFailure: .waits) { _ in [] }
        var limits = ServingLimits()
        limits.drain = .milliseconds(20)
        try await TestServer.serve(engine, limits: limits) { port, group, _ in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/embeddings", #"{"input": "a"}"#)
                for await _ in engine.started.stream { break }
                await group.triggerGracefulShutdown()
                let reply = try await client.readAll()
                #expect(reply.hasPrefix("HTTP/1.1 503") && reply.contains("the server is stopping"))
            }
        }
    }

    @Test("a vector of zeros stays, and one that is no number is an error")
    func lengths() throws {
        func body(_ values: [Float]) throws(ServingError) -> EmbeddingsBody {
            let timings = GenerationTimings(promptTokens: 1, generatedTokens: 0, prompt: .zero, generation: .zero)
            return try EmbeddingsBody([Embedding(values: values, timings: timings)], .float, model: "demo")
        }
        guard case .numbers(let zeros) = try body([0, 0]).data[0].embedding else { return #expect(Bool(false)) }
        #expect(zeros == [0, 0])
        guard case .numbers(let large) = try body([3e38, 3e38]).data[0].embedding else { return #expect(Bool(false)) }
        #expect(large.allSatisfy { abs($0 - 0.70710677) < 1e-6 })
        for bad in [Float.nan, .infinity] { #expect(throws: ServingError.self) { try body([bad, 1]) } }
    }
}
