import Glibc
import Testing

@testable import ZeroMQ

@Suite("Strangers at a secured socket")
struct StrangerTests {
    static let options = SocketOptions(handshakeWithin: .milliseconds(200))

    /// A bare TCP connection, which blocks.
    final class Stranger {
        let descriptor: Int32

        init(to endpoint: Endpoint) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            try #require(descriptor >= 0)
            let address = try HostAddresses.look(up: endpoint.host, port: endpoint.port)[0]
            try #require(address.withAddress { connect(descriptor, $0, $1) } == 0)
        }

        /// May fail: the other side can have closed it already.
        func send(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

        /// Reads until the other side has closed the connection; false when it has not within 20 s.
        func isClosed() -> Bool {
            var buffer = [UInt8](repeating: 0, count: 4096)
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while poll(&item, 1, 20_000) > 0 {
                if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return true }
            }
            return false
        }

        deinit { close(descriptor) }
    }

    /// Open connections of this process that a listener on the port has taken.
    static func connectionCount(on port: UInt16) -> Int {
        (Int32(0)..<4096).count { descriptor in
            guard SocketAddress(localOf: descriptor)?.port == port else { return false }
            var isListening: Int32 = 0
            var size = socklen_t(4)
            getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size)
            return isListening == 0
        }
    }

    /// What a ZMTP 3 peer with CURVE says first, and how its next command begins.
    static let greeting: [UInt8] =
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1] + Array("CURVE".utf8) + [UInt8](repeating: 0, count: 47)
    static let hello: [UInt8] = [4, 200, 5] + Array("HELLO".utf8) + [1, 0]

    static let openings: [[UInt8]] = [
        [], [0xFF], Array(greeting.prefix(11)), Array(greeting.prefix(63)), greeting, greeting + hello,
    ]

    @Test("a half-open connection is closed when its time is over", arguments: openings)
    func halfOpen(opening: [UInt8]) throws {
        let server = try SecureServer(options: Self.options)
        let stranger = try Stranger(to: server.endpoint)
        if !opening.isEmpty { stranger.send(opening) }
        #expect(stranger.isClosed())
        try server.wait("a descriptor stays") { Self.connectionCount(on: server.endpoint.port) == 0 }
    }

    @Test("garbage is closed, and a legitimate peer is not disturbed")
    func garbage() throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(allowing: [peer.publicKey], options: Self.options)
        let client = try server.connect(as: peer)
        let garbage: [[UInt8]] = [
            Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [UInt8](repeating: 0, count: 70_000),
            [UInt8](repeating: 0xFF, count: 5000), Self.greeting + [UInt8](repeating: 0xFF, count: 300),
            Self.greeting + [6, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] + [1, 2, 3],
            Self.greeting + Self.hello + [UInt8](repeating: 9, count: 192),
        ]
        for (index, bytes) in garbage.enumerated() {
            let stranger = try Stranger(to: server.endpoint)
            stranger.send(bytes)
            try server.send([UInt8(index)], on: client)
            #expect(try server.receive().bytes == [UInt8(index)])
            #expect(stranger.isClosed(), "garbage \(index)")
        }
        while let event = try client.nextConnectionEvent() {
            if case .disconnected = event { Issue.record("the legitimate peer was disturbed") }
        }
    }

    @Test("after 300 connections of garbage every descriptor is back", arguments: [true, false])
    func many(monitored: Bool) throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(allowing: [peer.publicKey], monitored: monitored, options: Self.options)
        let client = try server.connect(as: peer)
        try server.send([0], on: client)
        _ = try server.receive()
        #expect(Self.connectionCount(on: server.endpoint.port) == 1)
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SplitMix(state: seed)
        var held: [Stranger] = []
        for round in 0..<300 {
            let stranger = try Stranger(to: server.endpoint)
            var bytes = Self.openings[round % Self.openings.count]
            bytes += (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if !bytes.isEmpty { stranger.send(bytes) }
            // Some leave at once, some stay until they are thrown out.
            if round % 3 == 0 { held.append(stranger) }
            if round % 30 == 0 {
                try server.send([UInt8(round / 30)], on: client)
                #expect(try server.receive().bytes == [UInt8(round / 30)], "seed \(seed)")
            }
        }
        for stranger in held { #expect(stranger.isClosed(), "seed \(seed)") }
        held = []
        try server.wait("descriptors stay, seed \(seed)") { Self.connectionCount(on: server.endpoint.port) == 1 }
        try server.send([77], on: client)
        #expect(try server.receive().bytes == [77])
    }
}
