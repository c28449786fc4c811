import Foundation
import Sharding
import Testing

@testable import Serving

@Suite("Cluster route")
struct ClusterRouteTests {
    @Test("what the engine says comes whole, beside the model and HTTP")
    func body() async throws {
        let server = try TestServer(ScriptedEngine(snapshot: MetricsTests.snapshot()) { _ in [] })
        _ = try await server.get("/health")
        let reply = try await server.get("/v1/cluster")
        #expect(reply.status == 200)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let body = try decoder.decode(ClusterBody.self, from: Data(reply.text.utf8))
        #expect(body.engine == MetricsTests.snapshot())
        #expect(body.model.id == "demo" && body.model.contextLength == 512 && body.version == ShardVersion.current)
        #expect(body.http.requests == [HTTPSnapshot.Requests(route: "/health", status: 200, count: 1)])
    }

    @Test("an engine that counts nothing is left out")
    func withoutEngine() async throws {
        let json = try await TestServer(ScriptedEngine { _ in [] }).get("/v1/cluster").json
        #expect(json["engine"] == nil && json["object"] == .string("cluster"))
    }

    @Test("with keys it is for their holders, and so are metrics; the dashboard itself is for all")
    func keys() async throws {
        let secret = "sk-0123456789abcdef0123456789abcdef"
        let keys = try APIKeys("anna = \(secret)", place: "keys")
        let server = try TestServer(ScriptedEngine { _ in [] }, access: APIAccess(keys))
        for path in ["/v1/cluster", "/metrics"] {
            #expect(try await server.get(path).status == 401, "\(path)")
            #expect(try await server.get(path, authorization: "Bearer \(secret)").status == 200, "\(path)")
        }
        #expect(try await server.get("/").status == 200)
    }
}
