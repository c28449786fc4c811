import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import ModelFiles
import ServiceLifecycle
import Sharding
import Testing

@testable import Serving

/// A service over a scripted engine, asked without sockets.
struct TestServer {
    let service: HTTPService

    init(
        _ engine: ScriptedEngine, model: ServedModel? = nil, access: APIAccess? = nil,
        certificate: ServerCertificate? = nil, limits: ServingLimits = ServingLimits(), host: String = "127.0.0.1",
        whenListening: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws {
        service = HTTPService(
            engine: engine, model: try model ?? TestModel.served(),
            address: try ListenAddress(host: host, port: 0, hasKeys: access != nil), access: access,
            certificate: certificate,
            limits: limits, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { 1_700_000_000 },
            random: { 7 }, whenListening: whenListening)
    }

    /// Runs a server on a free port for as long as `body` takes.
    static func serve(
        _ engine: ScriptedEngine, certificate: ServerCertificate? = nil, limits: ServingLimits = ServingLimits(),
        _ body: (_ port: Int, _ group: ServiceGroup, _ service: HTTPService) async throws -> Void
    ) async throws {
        let ports = AsyncStream<Int>.makeStream()
        let server = try TestServer(engine, certificate: certificate, limits: limits) { ports.continuation.yield($0) }
        let group = ServiceGroup(
            services: [server.service], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        var port = ports.stream.makeAsyncIterator()
        do {
            try await body(try #require(await port.next()), group, server.service)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    func get(_ path: String, authorization: String? = nil) async throws -> Reply {
        try await execute(path, .get, nil, authorization)
    }

    func post(_ path: String, _ body: String, authorization: String? = nil) async throws -> Reply {
        try await execute(path, .post, body, authorization)
    }

    func chat(_ fields: String = "", text: String = "hi", authorization: String? = nil) async throws -> Reply {
        try await post(
            "/v1/chat/completions", #"{"messages": [{"role": "user", "content": "\#(text)"}]\#(fields)}"#,
            authorization: authorization)
    }

    private func execute(
        _ path: String, _ method: HTTPRequest.Method, _ body: String?, _ authorization: String?
    ) async throws -> Reply {
        try await service.application.test(.router) { client in
            try await client.execute(
                uri: path, method: method, headers: authorization.map { [.authorization: $0] } ?? [:],
                body: body.map { ByteBuffer(string: $0) }
            ) { response in
                Reply(
                    status: response.status.code, retryAfter: response.headers[.retryAfter],
                    challenge: response.headers[.wwwAuthenticate], contentType: response.headers[.contentType],
                    policy: response.headers[.contentSecurityPolicy], text: String(buffer: response.body))
            }
        }
    }
}

/// What came back.
struct Reply {
    var status: Int
    var retryAfter: String?
    /// How a client is told to say who it is.
    var challenge: String?
    var contentType: String?
    /// What a browser may run and fetch.
    var policy: String?
    var text: String

    var json: JSONValue { get throws { try RequestJSON.parse(ByteBuffer(string: text)) } }

    /// Contents of the events, `[DONE]` included, comments left out.
    var events: [String] {
        text.components(separatedBy: "\n\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
    }

    var chunks: [JSONValue] {
        get throws { try events.filter { $0 != "[DONE]" }.map { try RequestJSON.parse(ByteBuffer(string: $0)) } }
    }

    /// The text of a chat stream's choice.
    func streamed(choice: Int = 0) throws -> String {
        var text = ""
        for chunk in try chunks {
            for piece in chunk["choices"]?.array ?? [] where piece["index"] == .integer(choice) {
                text += piece["delta"]?["content"]?.string ?? piece["text"]?.string ?? ""
            }
        }
        return text
    }
}

extension JSONValue {
    subscript(index: Int) -> JSONValue? {
        if case .array(let values) = self, values.indices.contains(index) { values[index] } else { nil }
    }

    var string: String? { stringValue }
    var array: [JSONValue] { arrayValue ?? [] }

    /// Content of a whole chat answer's choice.
    func content(choice: Int = 0) -> String? { self["choices"]?[choice]?["message"]?["content"]?.string }
}
