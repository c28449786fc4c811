import Glibc
import Testing

@testable import ZeroMQ

@Suite("Addresses")
struct AddressTests {
    /// Binds, connects from `clients`, and passes a message by each.
    private func talk(bind: String, clients: [String]) throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let bound = try pull.socket.bind(try #require(Endpoint(bind)))
        #expect(bound.port != 0)
        for host in clients {
            let push = try loop.open(.push)
            try push.socket.connect(Endpoint(host: host, port: bound.port))
            try SocketTests.send(Array(host.utf8), on: push, loop)
            let message = try SocketTests.receive(pull, loop)
            #expect(message.header.bytes == Array(host.utf8))
        }
    }

    private var hasIPv6: Bool { NetworkInterfaces.families(of: "lo").contains(.ipv6) }

    @Test("a star listens on every IPv4 address, an interface on its own", arguments: ["tcp://*:0", "tcp://lo:0"])
    func ipv4(bind: String) throws { try talk(bind: bind, clients: ["127.0.0.1", "localhost"]) }

    @Test("[::] listens on every address of both families")
    func ipv6() throws {
        guard hasIPv6 else { return }
        try talk(bind: "tcp://[::]:0", clients: ["::1", "127.0.0.1", "localhost"])
        try talk(bind: "tcp://[::1]:*", clients: ["::1"])
    }

    @Test("a name that has only IPv6 addresses can be connected to")
    func ipv6Name() throws {
        guard hasIPv6, HostAddresses.families(of: "ip6-localhost") == [.ipv6] else { return }
        try talk(bind: "tcp://[::1]:0", clients: ["ip6-localhost"])
    }

    @Test("a host's addresses decide about the family, with IPv4 first")
    func family() {
        func connectsIPv6(_ host: String, _ families: Set<AddressFamily>) -> Bool {
            Endpoint(host: host, port: 1).connectsIPv6 { _ in families }
        }
        #expect(!connectsIPv6("node", [.ipv4]))
        #expect(!connectsIPv6("node", [.ipv4, .ipv6]))
        #expect(connectsIPv6("node", [.ipv6]))
        // With IPv6, libzmq finds either.
        #expect(connectsIPv6("node", []))
        #expect(connectsIPv6("::1", [.ipv4]))
        #expect(!connectsIPv6("10.0.0.1", [.ipv6]))
        #expect(Endpoint(host: "fe80::1%eth0", port: 1).bindsIPv6)
        #expect(!Endpoint(host: "*", port: 1).bindsIPv6)
        #expect(!Endpoint(host: "lo", port: 1).bindsIPv6)
        #expect(HostAddresses.families(of: "127.0.0.1") == [.ipv4])
        #expect(HostAddresses.families(of: "::1") == [.ipv6])
    }

    @Test(
        "wildcards are known in every spelling",
        arguments: [
            ("*", true), ("0.0.0.0", true), ("::", true), ("0:0:0:0:0:0:0:0", true), ("::0", true),
            ("::ffff:0.0.0.0", true), ("127.0.0.1", false), ("::1", false), ("::ffff:127.0.0.1", false),
            ("0.0.0.0.example.org", false), ("node", false), ("10.0.0.0", false), ("1::", false),
        ])
    func wildcard(host: String, expected: Bool) { #expect(Endpoint(host: host, port: 1).isWildcard == expected) }

    @Test("the way to a host tells our own address")
    func toward() throws {
        #expect(try LocalAddress.toward(host: "127.0.0.1", port: 5555) == "127.0.0.1")
        #expect(try LocalAddress.toward(host: "127.0.0.9", port: 0) == "127.0.0.1")
        #expect(try LocalAddress.toward(host: "localhost", port: 1).contains("1"))
        if hasIPv6 { #expect(try LocalAddress.toward(host: "::1", port: 5555) == "::1") }
    }

    @Test("an unknown host is an error that names it", arguments: ["256.1.1.1", "no such host", "", "[::1]"])
    func unknown(host: String) throws {
        let error = try #require(throws: ZeroMQError.self) { _ = try LocalAddress.toward(host: host, port: 1) }
        #expect(error.description.hasPrefix("\(host): look up: "), "\(error)")
        #expect(error.description.hasSuffix("; is the host's name right?"))
    }
}
