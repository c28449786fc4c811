import Foundation
import Sharding
import Testing

@testable import Serving

@Suite("TLS")
struct TLSTests {
    /// A certificate and a key as files, removed with it.
    final class Files: Sendable {
        let folder = FileManager.default.temporaryDirectory.appending(path: "shard-tls-\(UUID().uuidString)").path
        var paths: TLSFiles { TLSFiles(certificate: "\(folder)/c.pem", key: "\(folder)/k.pem") }

        init(_ certificate: String, _ key: String) throws {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try write(certificate, key)
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func write(_ certificate: String, _ key: String) throws {
            try Data(certificate.utf8).write(to: URL(filePath: paths.certificate))
            try Data(key.utf8).write(to: URL(filePath: paths.key))
            try #require(chmod(paths.key, 0o600) == 0)
        }
    }

    private static let time = 1_800_000_000
    private static let chat = #"{"messages": [{"role": "user", "content": "hi"}]}"#
    private static let streamed = #"{"messages": [{"role": "user", "content": "hi"}], "stream": true}"#
    private static let answering = ScriptedEngine { _ in [.finish(.stop)] }

    private let files: Files
    private let certificate: ServerCertificate

    init() throws {
        files = try Files(TestCertificates.first, TestCertificates.firstKey)
        certificate = try ServerCertificate(files.paths, at: Self.time)
    }

    @Test("one connection carries several requests, streams among them")
    func keepAlive() async throws {
        try await TestServer.serve(Self.answering, certificate: certificate) { port, _, _ in
            try await RawClient.connect(port, trusting: TestCertificates.first) { client in
                for body in [Self.chat, Self.streamed, Self.chat] {
                    try await client.post("/v1/chat/completions", body)
                    #expect(try await client.read(until: body == Self.streamed ? "0\r\n\r\n" : "}}").contains("200 OK"))
                }
            }
        }
    }

    @Test("a new certificate is for new connections; those that stand go on")
    func replaced() async throws {
        try await TestServer.serve(Self.answering, certificate: certificate) { port, _, _ in
            try await RawClient.connect(port, trusting: TestCertificates.first) { old in
                try await old.post("/v1/chat/completions", Self.chat)
                #expect(try await old.read(until: "total_tokens").contains("200 OK"))
                try files.write(TestCertificates.second, TestCertificates.secondKey)
                try certificate.replace(files.paths, at: Self.time)
                try await RawClient.connect(port, trusting: TestCertificates.second) { new in
                    try await new.post("/v1/chat/completions", Self.chat)
                    #expect(try await new.read(until: "total_tokens").contains("200 OK"))
                }
                try await old.post("/v1/chat/completions", Self.chat)
                #expect(try await old.read(until: "total_tokens").contains("200 OK"))
            }
        }
    }

    @Test("files that cannot be used change nothing")
    func brokenReplacement() async throws {
        try files.write(TestCertificates.second, TestCertificates.firstKey)
        #expect(throws: ServingError.self) { try certificate.replace(files.paths, at: Self.time) }
        try await TestServer.serve(Self.answering, certificate: certificate) { port, _, _ in
            try await RawClient.connect(port, trusting: TestCertificates.first) { client in
                try await client.post("/v1/chat/completions", Self.chat)
                #expect(try await client.read(until: "total_tokens").contains("200 OK"))
            }
        }
    }

    @Test(
        "files that cannot be used are refused with the file and what is wrong",
        arguments: [
            (TestCertificates.second, TestCertificates.firstKey, "k.pem: expected the secret key of the first"),
            (
                TestCertificates.ended, TestCertificates.firstKey,
                "c.pem: expected one that is valid now, got one that ended on 2021-01-01"
            ),
            (
                TestCertificates.early, TestCertificates.firstKey,
                "c.pem: expected one that is valid now, got one from 2100-01-01"
            ),
            (
                TestCertificates.first + TestCertificates.ended, TestCertificates.firstKey,
                "c.pem: certificate 2 of 2: expected"
            ),
            ("", TestCertificates.firstKey, "c.pem: expected certificates in PEM"),
            (TestCertificates.firstKey, TestCertificates.first, "c.pem: expected certificates in PEM"),
            (TestCertificates.first, TestCertificates.first, "k.pem: expected a secret key in PEM"),
            (
                TestCertificates.first, TestCertificates.closedKey,
                "k.pem: expected a secret key in PEM without a passphrase"
            ),
            (TestCertificates.first, "", "k.pem: expected a secret key in PEM"),
        ])
    func refused(certificate: String, key: String, message: String) throws {
        let files = try Files(certificate, key)
        let error = try #require(throws: ServingError.self) { _ = try ServerCertificate(files.paths, at: Self.time) }
        #expect(error.description.hasPrefix("\(files.folder)/\(message)"), "\(error)")
    }

    @Test("a key that others may read, and files that are not there, are refused")
    func modes() throws {
        try #require(chmod(files.paths.key, 0o644) == 0)
        let mode = try #require(throws: ServingError.self) { _ = try ServerCertificate(files.paths, at: Self.time) }
        #expect(mode.description.contains("k.pem: mode: expected 0600, got 0644"))
        try FileManager.default.removeItem(atPath: files.paths.certificate)
        let missing = try #require(throws: ServingError.self) { _ = try ServerCertificate(files.paths, at: Self.time) }
        #expect(missing.description.contains("c.pem: expected") && missing.description.contains("No such file"))
    }

    @Test("a client that leaves ends its sequences", arguments: [streamed, chat])
    func disconnect(body: String) async throws {
        let engine = ScriptedEngine { _ in [.gate] }
        try await TestServer.serve(engine, certificate: certificate) { port, _, service in
            try await RawClient.connect(port, trusting: TestCertificates.first) { client in
                try await client.post("/v1/chat/completions", body)
                for await _ in engine.started.stream { break }
            }
            await engine.waitUntilDropped()
            #expect(service.runningCount == 0)
        }
    }

    @Test("what is no HTTP is refused within TLS as in clear, and so is a head that is too long")
    func heads() async throws {
        let long = "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "a", count: 40_000) + "\r\n\r\n"
        try await TestServer.serve(Self.answering, certificate: certificate) { port, _, _ in
            for request in ["hello\r\n\r\n", long] {
                try await RawClient.connect(port, trusting: TestCertificates.first) { client in
                    try await client.send(request)
                    let reply = try await client.readAll()
                    #expect(reply.hasPrefix("HTTP/1.1 400 ") && reply.contains(#""code":"invalid_http""#))
                }
            }
        }
    }

    @Test(
        "a handshake that does not come, or is none, closes the connection",
        arguments: ["", "\u{16}\u{3}\u{1}", "GET / HTTP/1.1\r\n\r\n"])
    func noHandshake(bytes: String) async throws {
        var limits = ServingLimits()
        limits.headTimeout = .milliseconds(50)
        try await TestServer.serve(Self.answering, certificate: certificate, limits: limits) { port, _, _ in
            try await RawClient.connect(port) { client in
                try? await client.send(bytes)
                let reply = try await client.readAll()
                #expect(!reply.contains("HTTP"))
            }
        }
    }
}
