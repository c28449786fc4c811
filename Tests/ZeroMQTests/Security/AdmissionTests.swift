import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite("Admission")
struct AdmissionTests {
    @Test("a listed key is admitted, and its messages name it")
    func listed() throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(allowing: [peer.publicKey])
        let client = try server.connect(as: peer)
        try server.send([7], on: client)
        let message = try server.receive()
        #expect(message.bytes == [7])
        #expect(message.key == peer.publicKey)
        #expect(message.connection ?? -1 >= 0)
        #expect(server.admission.refusals.total == 0)
    }

    @Test("the largest frame that is taken in clear is taken encrypted, too")
    func largestFrame() throws {
        let peer = try CurveKeyPair.generate()
        var options = SocketOptions()
        options.frameBytesMax = 100_000
        let server = try SecureServer(allowing: [peer.publicKey], options: options)
        let client = try server.connect(as: peer)
        let frame = [UInt8](repeating: 3, count: options.frameBytesMax)
        try server.send(frame, on: client)
        #expect(try server.receive().bytes == frame)
    }

    @Test("on a ROUTER every message names its sender, and DEALERs are answered")
    func router() throws {
        let peers = try (0..<3).map { _ in try CurveKeyPair.generate() }
        let server = try SecureServer(.router, domain: .control, allowing: Set(peers.map(\.publicKey)))
        for (index, peer) in peers.enumerated() {
            let client = try server.connect(.dealer, as: peer)
            try SocketTests.send([UInt8(index)], payload: [9], on: client, server.loop)
            let message = try SocketTests.receive(server.socket, server.loop)
            #expect(message.header.bytes == [UInt8(index)])
            #expect(message.payload.bytes == [9])
            #expect(message.peerKey == peer.publicKey)
            #expect(try server.socket.socket.send(to: message.sender, Message([5])) == .sent)
            let answer = try SocketTests.receive(client, server.loop)
            #expect(answer.header.bytes == [5])
            // A client chose the server by its key, and is told no other.
            #expect(answer.peerKey == nil)
        }
    }

    @Test("an unknown key is refused, counted and reported")
    func unknown() throws {
        let known = try CurveKeyPair.generate()
        let stranger = try CurveKeyPair.generate()
        let server = try SecureServer(allowing: [known.publicKey])
        let client = try server.connect(as: stranger)
        let refusal = try server.refusal()
        #expect(refusal == AdmissionRefusal(domain: .data, key: stranger.publicKey, address: "127.0.0.1"))
        #expect(try server.handshakeFailure(of: client) == "status 400: the key is not in the other side's list")
        #expect(try server.handshakeFailure(of: server.socket) == "status 400: its key is not in our list")
        try server.wait("it did not try again") { server.admission.refusals.total >= 3 }
        let counts = server.admission.refusals
        #expect(counts.byKey[stranger.publicKey] ?? 0 >= 3)
        #expect(counts.withoutKey == 0)
        #expect(try client.socket.send(Message([1])) == .wouldBlock)
        let friend = try server.connect(as: known)
        try server.send([2], on: friend)
        #expect(try server.receive().key == known.publicKey)
    }

    @Test("a list counts for its own domain, and an empty one admits nobody")
    func domains() throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(domain: .results)
        server.admission.allow([peer.publicKey], in: .control)
        let client = try server.connect(as: peer)
        #expect(try server.refusal().domain == .results)
        server.admission.allow([peer.publicKey], in: .results)
        try server.send([1], on: client)
        #expect(try server.receive().key == peer.publicKey)
    }

    @Test("a peer without keys is refused, and both sides say why")
    func null() throws {
        let server = try SecureServer()
        let client = try server.connect(security: .none)
        for socket in [client, server.socket] {
            let reason = try server.handshakeFailure(of: socket)
            #expect(reason.hasPrefix("the peer speaks another security mechanism: one side has keys, the other none"))
        }
        #expect(try client.socket.send(Message([1])) == .wouldBlock)
    }

    @Test("a peer with keys does not talk to a server without")
    func nullServer() throws {
        let server = try SecureServer()
        let open = try server.loop.open(.pull, monitored: true)
        let client = try server.loop.open(
            .push, options: SocketOptions(security: .client(.generate(), server: server.keys.publicKey)),
            monitored: true)
        try client.socket.connect(try open.socket.bind(.loopback()))
        #expect(try server.handshakeFailure(of: open).contains("one side has keys"))
        // Which side closes first is chance, and so whether this one learns why.
        _ = try server.handshakeFailure(of: client)
        #expect(try client.socket.send(Message([1])) == .wouldBlock)
    }

    @Test("a peer with a password is refused")
    func plain() throws {
        let server = try SecureServer()
        let client = try #require(zmq_socket(server.loop.context.handle, ZMQ_PUSH))
        defer { zmq_close(client) }
        try Self.usePassword(client)
        #expect(zmq_connect(client, server.endpoint.description) == 0)
        #expect(try server.handshakeFailure(of: server.socket).contains("another security mechanism"))
    }

    @Test(
        "in a guarded domain only keys count: neither NULL nor PLAIN", arguments: [ZMQ_NULL, ZMQ_PLAIN])
    func otherMechanisms(mechanism: Int32) throws {
        let server = try SecureServer()
        let context = server.loop.context.handle
        let listener = try #require(zmq_socket(context, ZMQ_PULL))
        let client = try #require(zmq_socket(context, ZMQ_PUSH))
        defer {
            zmq_close(client)
            zmq_close(listener)
        }
        try SocketOptions.set(listener, ZMQ_LINGER, Int32(0), "LINGER")
        try SocketOptions.set(client, ZMQ_LINGER, Int32(0), "LINGER")
        try SocketOptions.set(listener, ZMQ_ZAP_DOMAIN, Array("data".utf8), "ZAP_DOMAIN")
        if mechanism == ZMQ_PLAIN {
            try SocketOptions.set(listener, ZMQ_PLAIN_SERVER, Int32(1), "PLAIN_SERVER")
            try Self.usePassword(client)
        }
        #expect(zmq_bind(listener, "tcp://127.0.0.1:*") == 0)
        var text = [CChar](repeating: 0, count: 256)
        var count = text.count
        #expect(zmq_getsockopt(listener, ZMQ_LAST_ENDPOINT, &text, &count) == 0)
        #expect(zmq_connect(client, text) == 0)
        #expect(try server.refusal() == AdmissionRefusal(domain: .data, key: nil, address: "127.0.0.1"))
        #expect(server.admission.refusals.withoutKey > 0)
        #expect(server.admission.refusals.byKey.isEmpty)
    }

    @Test("a client that expects another server does not connect")
    func wrongServer() throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(allowing: [peer.publicKey])
        let client = try server.connect(as: peer, expecting: try CurveKeyPair.generate().publicKey)
        let reason = try server.handshakeFailure(of: server.socket)
        #expect(reason.contains("cannot be decrypted"), "\(reason)")
        _ = try server.handshakeFailure(of: client)
        #expect(try client.socket.send(Message([1])) == .wouldBlock)
        let other = try server.connect(as: peer)
        try server.send([1], on: other)
        #expect(try server.receive().key == peer.publicKey)
    }

    @Test("without an admission a secured socket does not bind")
    func noAdmission() throws {
        let context = try Context()
        let options = SocketOptions(security: .server(try .generate(), domain: .data))
        let socket = try Socket(.pull, in: context, options: options)
        let error = try #require(throws: ZeroMQError.self) { _ = try socket.bind(.loopback()) }
        #expect(
            error.description == "tcp://127.0.0.1:0: bind: the socket is secured, and its context has no running "
                + "admission; make an Admission first")
        #expect(throws: ZeroMQError.self) { try socket.connect(.loopback(port: 9)) }
        let admission = try Admission(in: context)
        #expect(try socket.bind(.loopback()).port > 0)
        admission.stop()
        let second = try Socket(.pull, in: context, options: options)
        #expect(throws: ZeroMQError.self) { _ = try second.bind(.loopback()) }
    }

    @Test("a stopped admission lets nobody in, and leaves the connections that stand")
    func stopped() throws {
        let peer = try CurveKeyPair.generate()
        let server = try SecureServer(
            allowing: [peer.publicKey], options: SocketOptions(handshakeWithin: .milliseconds(200)))
        let early = try server.connect(as: peer)
        try server.send([1], on: early)
        _ = try server.receive()
        #expect(server.admission.isRunning)
        server.admission.stop()
        server.admission.stop()
        #expect(!server.admission.isRunning)
        let late = try server.connect(as: peer)
        _ = try server.handshakeFailure(of: server.socket)
        _ = try server.handshakeFailure(of: late)
        #expect(try late.socket.send(Message([1])) == .wouldBlock)
        try server.send([2], on: early)
        #expect(try server.receive().bytes == [2])
    }

    @Test("a context has one admission")
    func second() throws {
        let context = try Context()
        let first = try Admission(in: context)
        #expect(throws: ZeroMQError.self) { _ = try Admission(in: context) }
        first.stop()
        let error = try #require(throws: ZeroMQError.self) { _ = try Admission(in: context) }
        #expect(error.description.hasPrefix("admission: the context has one already"))
    }

    @Test("sockets that are bound keep their admission; the context ends with both", arguments: [false, true])
    func lifetime(isStopped: Bool) throws {
        let peer = try CurveKeyPair.generate()
        let watch = SocketLoop(context: try Context(), wakeup: try Wakeup())
        weak var context: Context?
        weak var admission: Admission?
        do {
            let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
            context = loop.context
            let keys = try CurveKeyPair.generate()
            let socket = try loop.open(.pull, options: SocketOptions(security: .server(keys, domain: .data)))
            let endpoint: Endpoint
            do {
                let made = try Admission(in: loop.context)
                made.allow([peer.publicKey], in: .data)
                admission = made
                endpoint = try socket.socket.bind(.loopback())
            }
            #expect(admission?.isRunning == true)
            let client = try loop.open(
                .push, options: SocketOptions(security: .client(peer, server: keys.publicKey)))
            try client.socket.connect(endpoint)
            try SocketTests.send([1], on: client, loop)
            #expect(try SocketTests.receive(socket, loop).peerKey == peer.publicKey)
            if isStopped { admission?.stop() }
        }
        #expect(admission == nil)
        let deadline = SocketTests.deadline
        while context != nil {
            try #require(ContinuousClock.now < deadline, "the context did not end")
            try watch.wait(until: .now + .milliseconds(1))
        }
    }

    private static func usePassword(_ client: UnsafeMutableRawPointer) throws {
        try SocketOptions.set(client, ZMQ_LINGER, Int32(0), "LINGER")
        try SocketOptions.set(client, ZMQ_PLAIN_USERNAME, Array("admin".utf8), "PLAIN_USERNAME")
        try SocketOptions.set(client, ZMQ_PLAIN_PASSWORD, Array("admin".utf8), "PLAIN_PASSWORD")
    }
}
