import Logging
import NIOCore
import NIOPosix
import Sharding
import Testing

@testable import Serving

@Suite("Connections")
struct ConnectionTests {
    private static let chat = #"{"messages": [{"role": "user", "content": "hi"}]}"#
    private static let streamed = #"{"messages": [{"role": "user", "content": "hi"}], "stream": true}"#
    private static let answering = ScriptedEngine { _ in [.finish(.stop)] }

    @Test("one connection carries several requests, streams among them")
    func keepAlive() async throws {
        try await TestServer.serve(Self.answering) { port, _, _ in
            try await RawClient.connect(port) { client in
                for body in [Self.chat, Self.streamed, Self.chat] {
                    try await client.post("/v1/chat/completions", body)
                    #expect(try await client.read(until: body == Self.streamed ? "0\r\n\r\n" : "}}").contains("200 OK"))
                }
            }
        }
    }

    @Test("a client that leaves ends its sequences, streamed or not, queued or running", arguments: [streamed, chat])
    func disconnect(body: String) async throws {
        let engine = ScriptedEngine { _ in [.gate] }
        try await TestServer.serve(engine) { port, _, service in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/chat/completions", body)
                for await _ in engine.started.stream { break }
            }
            await engine.waitUntilDropped()
            #expect(service.runningCount == 0)
        }
    }

    @Test("a client that leaves in mid-stream ends its sequence")
    func disconnectMidStream() async throws {
        let token = try #require(TestModel.tokens("a").last)
        let engine = ScriptedEngine { _ in [.token(token), .gate] }
        try await TestServer.serve(engine) { port, _, _ in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/chat/completions", Self.streamed)
                _ = try await client.read(until: "\"content\":\"a\"")
            }
            await engine.waitUntilDropped()
        }
    }

    @Test("a stream that waits says so in comments, and then goes on")
    func comments() async throws {
        let token = try #require(TestModel.tokens("a").last)
        let engine = ScriptedEngine { _ in [.gate, .token(token), .finish(.stop)] }
        var limits = ServingLimits()
        limits.keepAlive = .milliseconds(5)
        try await TestServer.serve(engine, limits: limits) { port, _, _ in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/chat/completions", Self.streamed)
                _ = try await client.read(until: ": waiting\n\n")
                engine.open()
                _ = try await client.read(until: "data: [DONE]\n\n")
            }
        }
    }

    @Test("an error after the first byte is an event, and the connection closes without [DONE]")
    func brokenStream() async throws {
        let token = try #require(TestModel.tokens("a").last)
        let engine = ScriptedEngine { _ in [.token(token), .fail(EngineError(.failed, "worker b died"))] }
        try await TestServer.serve(engine) { port, _, _ in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/chat/completions", Self.streamed)
                let text = try await client.readAll()
                #expect(text.contains(#"data: {"error":{"code":"server_error","message":"worker b died""#))
                #expect(!text.contains("[DONE]") && !text.contains(#""finish_reason":"s"#))
            }
        }
    }

    @Test(
        "names of other machines are refused, this one's are not",
        arguments: [
            ("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("LOCALHOST", 200), ("evil.example", 403),
            ("127.0.0.1.evil.example", 403), ("localhost:80:80", 403), ("10.0.0.1", 403), ("[::2]", 403),
        ])
    func hosts(host: String, status: Int) async throws {
        try await TestServer.serve(Self.answering) { port, _, _ in
            try await RawClient.connect(port) { client in
                try await client.send("GET /health HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(try await client.read(until: "}").hasPrefix("HTTP/1.1 \(status)"))
            }
        }
    }

    @Test(
        "pages of other origins are refused",
        arguments: [
            ("http://localhost:3000", 200), ("http://evil.example", 403), ("null", 403), ("file://", 403),
        ])
    func origins(origin: String, status: Int) async throws {
        try await TestServer.serve(Self.answering) { port, _, _ in
            try await RawClient.connect(port) { client in
                try await client.send("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: \(origin)\r\n\r\n")
                #expect(try await client.read(until: "}").hasPrefix("HTTP/1.1 \(status)"))
            }
        }
    }

    private static let badHeads = [
        "a long field": "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "a", count: 40_000)
            + "\r\n\r\n",
        "many fields": "GET /health HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "X: y\r\n", count: 200)
            + "\r\n",
        "two lengths": post("Content-Length: 3\r\nContent-Length: 4", "abc"),
        "two lengths in one": post("Content-Length: 3, 4", "abc"),
        "a length with a sign": post("Content-Length: +3", "abc"),
        "a length below zero": post("Content-Length: -3", "abc"),
        "a length in hexadecimal": post("Content-Length: 0x3", "abc"),
        "a length beyond all numbers": post("Content-Length: 99999999999999999999", "abc"),
        "length and chunks": post("Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        "chunks and length": post("Transfer-Encoding: chunked\r\nContent-Length: 3", "0\r\n\r\n"),
        "chunks that are not last": post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        "a bad chunk": post("Transfer-Encoding: chunked", "zz\r\nabc\r\n"),
        "a chunk beyond all numbers": post("Transfer-Encoding: chunked", "fffffffffffffffff\r\nabc\r\n"),
        "a chunk without its end": post("Transfer-Encoding: chunked", "3\r\nabcd\r\n0\r\n\r\n"),
        "a blank before the colon": post("Content-Length : 3", "abc"),
        "a coding that nobody knows": post("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        "a field over two lines": post("X: a\r\n b\r\nContent-Length: 3", "abc"),
        "lines without a return": post("Content-Length: 3", "abc").replacing("\r\n", with: "\n"),
        "a zero byte in a field": post("X: a\0b\r\nContent-Length: 3", "abc"),
        "no HTTP": "hello\r\n\r\n",
    ]

    private static func post(_ fields: String, _ body: String) -> String {
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n\(fields)\r\n\r\n\(body)"
    }

    @Test(
        "malformed and oversized heads are refused and the connection closes, whatever follows",
        arguments: badHeads.keys.sorted())
    func heads(name: String) async throws {
        try await TestServer.serve(Self.answering) { port, _, _ in
            try await RawClient.connect(port) { client in
                let hidden = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
                try await client.send(try #require(Self.badHeads[name]) + hidden)
                let reply = try await client.readAll()
                #expect(reply.hasPrefix("HTTP/1.1 400 ") && reply.contains(#""code":"invalid_http""#))
                #expect(reply.split(separator: "HTTP/1.1 400 ").count == 1 && !reply.contains("200 OK"))
            }
        }
    }

    @Test("a client that takes nothing is dropped, with its sequence")
    func slowReader() async throws {
        let token = try #require(TestModel.tokens("a").last)
        // More than the system keeps for a connection that nobody reads.
        let lines = Array(repeating: ScriptedEngine.Line.token(token), count: 100_000) + [.gate]
        let engine = ScriptedEngine { _ in lines }
        var limits = ServingLimits()
        limits.writeTimeout = .milliseconds(50)
        try await TestServer.serve(engine, limits: limits) { port, _, _ in
            try await RawClient.connect(port, receiveBytes: 4096) { client in
                try await client.post("/v1/chat/completions", Self.streamed)
                await engine.waitUntilDropped()
            }
        }
    }

    @Test("a connection without a request is closed, before the first one and after it", .timeLimit(.minutes(1)))
    func idle() async throws {
        var limits = ServingLimits()
        limits.idleTimeout = .milliseconds(50)
        limits.headTimeout = .seconds(3600)
        try await TestServer.serve(Self.answering, limits: limits) { port, _, _ in
            for request in ["", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
                try await RawClient.connect(port) { client in
                    // It may be closed before it is sent.
                    try? await client.send(request)
                    let reply = try await client.readAll()
                    #expect(reply.isEmpty || reply.contains("200 OK"))
                }
            }
        }
    }

    @Test("connections have a bound; one more waits until another ends")
    func connections() async throws {
        let request = "GET /v1/cluster HTTP/1.1\r\nHost: localhost\r\n\r\n"
        var limits = ServingLimits()
        limits.connectionsMax = 2
        try await TestServer.serve(Self.answering, limits: limits) { port, _, _ in
            try await RawClient.connect(port) { first in
                try await first.send(request)
                _ = try await first.read(until: "version")
                let last = AsyncStream<String>.makeStream()
                try await RawClient.connect(port) { second in
                    try await second.send(request)
                    _ = try await second.read(until: "version")
                    Task {
                        try await RawClient.connect(port) { third in
                            try await third.send(request)
                            last.continuation.yield(try await third.read(until: "version"))
                        }
                    }
                    try await first.send(request)
                    #expect(try await first.read(until: "version").contains(#""open_connections":2"#))
                }
                for await reply in last.stream {
                    #expect(reply.contains("200 OK") && reply.contains(#""open_connections":2"#))
                    break
                }
            }
        }
    }

    @Test(
        "a head or a body that does not come in time closes the connection",
        arguments: [
            "GET /health HTTP/1.1\r\nHo",
            "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        ])
    func slow(request: String) async throws {
        var limits = ServingLimits()
        limits.headTimeout = .milliseconds(50)
        limits.bodyTimeout = .milliseconds(50)
        try await TestServer.serve(Self.answering, limits: limits) { port, _, _ in
            try await RawClient.connect(port) { client in
                // The server may close before it is sent.
                try? await client.send(request)
                let reply = try await client.readAll()
                #expect(!reply.contains("200 OK"))
            }
        }
    }

    @Test("a stopping server lets answers end, then ends them with an error")
    func drain() async throws {
        let token = try #require(TestModel.tokens("a").last)
        let engine = ScriptedEngine { _ in [.token(token), .gate] }
        var limits = ServingLimits()
        limits.drain = .milliseconds(20)
        try await TestServer.serve(engine, limits: limits) { port, group, _ in
            try await RawClient.connect(port) { client in
                try await client.post("/v1/chat/completions", Self.streamed)
                _ = try await client.read(until: "\"content\":\"a\"")
                await group.triggerGracefulShutdown()
                let rest = try await client.readAll()
                #expect(rest.contains("the server is stopping") && !rest.contains("[DONE]"))
            }
        }
    }

    @Test("a port that is taken is an error with the address")
    func portInUse() async throws {
        try await TestServer.serve(Self.answering) { port, _, _ in
            let second = HTTPService(
                engine: Self.answering, model: try TestModel.served(),
                address: try ListenAddress(host: "127.0.0.1", port: port),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let error = await #expect(throws: ServingError.self) { try await second.run() }
            #expect(error?.description.hasPrefix("127.0.0.1:\(port): address in use; ") == true)
        }
    }

    @Test("a host that nobody knows is an error with the address")
    func unknownHost() async throws {
        // A label of a name has 63 bytes at most, so nobody is asked.
        let host = String(repeating: "x", count: 64)
        let access = APIAccess(try APIKeys("a = \(String(repeating: "k", count: 32))", place: "keys"))
        let service = HTTPService(
            engine: Self.answering, model: try TestModel.served(),
            address: try ListenAddress(host: host, port: 0, hasKeys: true), access: access,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let error = await #expect(throws: ServingError.self) { try await service.run() }
        #expect(error?.description.hasPrefix("\(host):0: no such host; ") == true)
    }

    @Test(
        "only this machine's addresses are listened on",
        arguments: [
            ("127.0.0.1", true), ("127.8.9.1", true), ("::1", true), ("localhost", true), ("0.0.0.0", false),
            ("::", false),
            ("10.0.0.1", false), ("example.org", false), ("", false), ("127.0.0.1 ", false),
            ("::ffff:127.0.0.1", false),
        ])
    func addresses(host: String, isAllowed: Bool) {
        let address = try? ListenAddress(host: host, port: 8080)
        #expect((address != nil) == isAllowed)
    }
}
