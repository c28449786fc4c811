import Testing
import ZeroMQ

@Suite("Removed keys")
struct RemovedKeyTests {
    private func isEnd(_ event: ConnectionEvent) -> Bool { if case .disconnected = event { true } else { false } }

    @Test("a removed key's connection ends and cannot return; another's stays", arguments: [true, false])
    func ended(monitored: Bool) throws {
        let (removed, other) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let server = try SecureServer(allowing: [removed.publicKey, other.publicKey], monitored: monitored)
        let first = try server.connect(as: removed)
        let second = try server.connect(as: other)
        try server.send([1], on: first)
        _ = try server.receive()
        try server.send([2], on: second)
        let connection = try server.receive().connection

        server.admission.allow([other.publicKey], in: server.domain)
        #expect(try server.socket.endConnections(of: [removed.publicKey]) == 1)
        #expect(try server.socket.endConnections(of: [removed.publicKey]) == 0)
        try server.event(of: first, where: isEnd)
        #expect(try server.handshakeFailure(of: first).hasPrefix("status 400"))
        #expect(try server.refusal().key == removed.publicKey)
        try server.wait("it did not try again") { server.admission.refusals.byKey[removed.publicKey] ?? 0 >= 3 }
        #expect(try first.socket.send(Message([1])) == .wouldBlock)

        try server.send([3], on: second)
        let message = try server.receive()
        #expect(message.bytes == [3])
        #expect(message.connection == connection)
        while let event = try second.nextConnectionEvent() { #expect(!isEnd(event)) }
        if monitored { try server.event(of: server.socket, where: isEnd) }

        server.admission.allow([removed.publicKey], in: server.domain)
        try server.send([4], on: first)
        #expect(try server.receive().key == removed.publicKey)
    }

    @Test("what a removed peer still sends is dropped, and its connection ends by that")
    func dropped() throws {
        let (removed, other) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let server = try SecureServer(allowing: [removed.publicKey, other.publicKey])
        let first = try server.connect(as: removed)
        let second = try server.connect(as: other)
        try server.send([1], on: first)
        _ = try server.receive()
        server.admission.allow([other.publicKey], in: server.domain)
        for _ in 0..<50 where try first.socket.send(Message([66])) != .sent { break }
        try server.send([2], on: second)
        let deadline = SocketTests.deadline
        var hasEnded = false
        var bytes: [[UInt8]] = []
        while !hasEnded || bytes.isEmpty {
            if let message = try server.socket.socket.receive() { bytes.append(message.header.bytes) }
            while let event = try first.nextConnectionEvent() { if isEnd(event) { hasEnded = true } }
            try #require(ContinuousClock.now < deadline)
            if !hasEnded || bytes.isEmpty { try server.loop.wait(until: deadline) }
        }
        #expect(bytes == [[2]])
    }

    @Test("a descriptor that another peer has now is left alone")
    func reused() throws {
        let (gone, here) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let server = try SecureServer(allowing: [gone.publicKey, here.publicKey], monitored: false)
        for round in 0..<20 {
            var first: LoopSocket? = try server.connect(as: gone)
            try server.send([UInt8(round)], on: try #require(first))
            _ = try server.receive()
            if let first { server.loop.close(first) }
            first = nil
            let second = try server.connect(as: here)
            try server.send([200], on: second)
            #expect(try server.receive().key == here.publicKey)
            // Without the news of its end, the old connection may still count as one; it is never taken for the new.
            #expect(try server.socket.endConnections(of: [gone.publicKey]) <= 1)
            try server.send([201], on: second)
            #expect(try server.receive().bytes == [201])
            while let event = try second.nextConnectionEvent() { #expect(!isEnd(event)) }
            server.loop.close(second)
        }
    }

    @Test("without security there are no senders and nothing to end")
    func unsecured() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let push = try loop.open(.push)
        try push.socket.connect(try pull.socket.bind(.loopback()))
        try SocketTests.send([1], on: push, loop)
        let message = try SocketTests.receive(pull, loop)
        #expect(message.peerKey == nil)
        #expect(message.connection == nil)
        #expect(try pull.endConnections(of: [try CurveKeyPair.generate().publicKey]) == 0)
    }
}
