import Testing
import ZeroMQ

@Suite("Endpoint")
struct EndpointTests {
    @Test(
        "an endpoint reads as it is written",
        arguments: [
            ("tcp://127.0.0.1:5555", "127.0.0.1", 5555), ("tcp://[::1]:1", "::1", 1),
            ("tcp://nodeA:65535", "nodeA", 65535),
        ])
    func roundTrip(text: String, host: String, port: Int) throws {
        let endpoint = try #require(Endpoint(text))
        #expect(endpoint.host == host)
        #expect(Int(endpoint.port) == port)
        #expect(endpoint.description == text)
    }

    @Test("a star asks for any free port")
    func star() { #expect(Endpoint("tcp://127.0.0.1:*")?.port == 0) }

    @Test(
        "what is no TCP endpoint is refused",
        arguments: [
            "", "tcp://", "tcp://:1", "tcp://a", "tcp://a:", "tcp://a:65536", "tcp://a:-1", "tcp://a:+1",
            "ipc:///tmp/x",
            "tcp://[::1:1", "tcp://::1:1", "tcp://a b:1", "tcp://a/b:1", "127.0.0.1:5555", "tcp://[]:1", "tcp://a\n:1",
            "tcp://[abc]:1", "tcp:", "tcp://\u{e9}:1",
        ])
    func refused(text: String) { #expect(Endpoint(text) == nil) }

    @Test(
        "only this machine's addresses are loopback",
        arguments: [
            ("127.0.0.1", true), ("127.255.0.9", true), ("localhost", true), ("::1", true), ("*", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false), ("127.0.0.1.example.org", false), ("127.0.0", false), ("127.0.0.999", false),
            ("::", false),
        ])
    func loopback(host: String, expected: Bool) { #expect(Endpoint(host: host, port: 1).isLoopback == expected) }
}
