import Synchronization
import Testing
import ZeroMQ

@Suite("Socket")
struct SocketTests {
    /// Generous: only a broken test waits that long.
    static var deadline: ContinuousClock.Instant { .now + .seconds(20) }

    static func receive(_ socket: LoopSocket, _ loop: SocketLoop) throws -> ReceivedMessage {
        let deadline = deadline
        while true {
            if let message = try socket.socket.receive() { return message }
            try #require(ContinuousClock.now < deadline, "nothing came")
            try loop.wait(until: deadline)
        }
    }

    static func send(_ bytes: [UInt8], payload: [UInt8]? = nil, on socket: LoopSocket, _ loop: SocketLoop) throws {
        let deadline = deadline
        while try socket.socket.send(Message(bytes), payload: payload.map { Message($0) }) != .sent {
            try #require(ContinuousClock.now < deadline, "never sent")
            try loop.wait(until: .now + .milliseconds(5))
        }
    }

    @Test("frames cross from PUSH to PULL as they were")
    func pushPull() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let endpoint = try pull.socket.bind(.loopback())
        #expect(endpoint.port != 0)
        let push = try loop.open(.push)
        try push.socket.connect(endpoint)
        for size in [0, 1, 29, 33, 34, 4096, 1 << 20] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            try Self.send([UInt8](repeating: 7, count: 3), payload: bytes, on: push, loop)
            let message = try Self.receive(pull, loop)
            #expect(message.header.bytes == [7, 7, 7])
            #expect(message.frameCount == 2)
            #expect(message.payload.bytes == bytes)
        }
        try Self.send([1], on: push, loop)
        let message = try Self.receive(pull, loop)
        #expect(message.frameCount == 1)
        #expect(message.payload.byteCount == 0)
    }

    @Test("a shared buffer is sent from where it lies, and released once")
    func sharing() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let push = try loop.open(.push)
        try push.socket.connect(try pull.socket.bind(.loopback()))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 100_000, alignment: 64)
        defer { buffer.deallocate() }
        buffer.initializeMemory(as: UInt8.self, repeating: 42)
        let released = Mutex(0)
        let releases = Mailbox<Int>(capacity: 4, wakeup: loop.wakeup)
        try Self.send([0], on: push, loop)
        let outcome = try push.socket.send(
            Message(sharing: UnsafeRawBufferPointer(buffer)) {
                try? releases.post(1)
            })
        #expect(outcome == .sent)
        _ = try Self.receive(pull, loop)
        let message = try Self.receive(pull, loop)
        #expect(message.header.byteCount == 100_000)
        #expect(message.header.withBytes { $0.allSatisfy { $0 == 42 } })
        let deadline = Self.deadline
        while released.withLock({ $0 }) == 0, ContinuousClock.now < deadline {
            let count = releases.takeAll().reduce(0, +)
            released.withLock { $0 += count }
            if count == 0 { try loop.wait(until: deadline) }
        }
        #expect(released.withLock { $0 } == 1)
    }

    @Test("a send without a peer is refused, not queued")
    func wouldBlock() throws {
        let context = try Context()
        let push = try Socket(.push, in: context)
        #expect(try push.send(Message([1])) == .wouldBlock)
        let router = try Socket(.router, in: context)
        #expect(try router.send(to: [1, 2], Message([1]), payload: Message([2])) == .unknownPeer)
        #expect(try router.send(to: [1, 2], Message([1])) == .unknownPeer)
    }

    @Test("a full queue refuses, and what was taken arrives whole")
    func highWaterMark() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let options = SocketOptions(sendQueueMax: 2, receiveQueueMax: 2)
        let pull = try loop.open(.pull, options: options)
        let push = try loop.open(.push, options: options)
        try push.socket.connect(try pull.socket.bind(.loopback()))
        let payload = [UInt8](repeating: 1, count: 1 << 20)
        try Self.send([0], payload: payload, on: push, loop)
        var sent = 1
        while try push.socket.send(Message([0]), payload: Message(payload)) == .sent {
            sent += 1
            try #require(sent < 1000, "the queue has no bound")
        }
        for _ in 0..<sent {
            let message = try Self.receive(pull, loop)
            #expect(message.payload.byteCount == 1 << 20)
        }
    }

    @Test("ROUTER and DEALER know each other by name; a second of the same name takes over")
    func routing() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let router = try loop.open(.router, monitored: true)
        let endpoint = try router.socket.bind(.loopback())
        var options = SocketOptions()
        options.routingID = Array("a".utf8)
        for round in 0..<3 {
            let dealer = try loop.open(.dealer, options: options)
            try dealer.socket.connect(endpoint)
            try Self.send([UInt8(round)], payload: [9], on: dealer, loop)
            let message = try Self.receive(router, loop)
            #expect(message.sender == options.routingID)
            #expect(message.header.bytes == [UInt8(round)])
            #expect(try router.socket.send(to: message.sender, Message([5]), payload: Message([6])) == .sent)
            let answer = try Self.receive(dealer, loop)
            #expect(answer.sender.isEmpty)
            #expect(answer.header.bytes == [5])
            #expect(answer.payload.bytes == [6])
        }
        var accepted = 0
        while let event = try router.nextConnectionEvent() {
            if case .accepted = event { accepted += 1 }
        }
        #expect(accepted == 3)
    }

    @Test("a message of many frames is cut to two and counted")
    func manyFrames() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let push = try loop.open(.push)
        try push.socket.connect(try pull.socket.bind(.loopback()))
        try Self.send([0], on: push, loop)
        for index in 0..<50 {
            var frame = Message([UInt8(index)])
            #expect(try push.socket.send(&frame, more: index < 49) == .sent)
        }
        try Self.send([77], on: push, loop)
        _ = try Self.receive(pull, loop)
        let many = try Self.receive(pull, loop)
        #expect(many.frameCount == 50)
        let next = try Self.receive(pull, loop)
        #expect(next.header.bytes == [77])
    }

    @Test("both families of addresses listen, and say where", arguments: ["127.0.0.1", "localhost", "::1"])
    func families(host: String) throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        guard let endpoint = try? pull.socket.bind(Endpoint(host: host, port: 0)) else {
            #expect(host == "::1", "only IPv6 may be absent")
            return
        }
        #expect(endpoint.isLoopback)
        let push = try loop.open(.push)
        try push.socket.connect(Endpoint(host: host, port: endpoint.port))
        try Self.send([1], on: push, loop)
        let message = try Self.receive(pull, loop)
        #expect(message.header.bytes == [1])
    }

    @Test("a monitor tells who connected and who left")
    func monitor() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull, monitored: true)
        let endpoint = try pull.socket.bind(.loopback())
        var push: LoopSocket? = try loop.open(.push)
        try push?.socket.connect(endpoint)
        func expect(_ matches: (ConnectionEvent) -> Bool) throws {
            let deadline = Self.deadline
            while true {
                while let event = try pull.nextConnectionEvent() { if matches(event) { return } }
                try #require(ContinuousClock.now < deadline, "the event did not come")
                try loop.wait(until: deadline)
            }
        }
        try expect { if case .accepted = $0 { true } else { false } }
        try expect { if case .ready = $0 { true } else { false } }
        if let push { loop.close(push) }
        push = nil
        try expect { if case .disconnected = $0 { true } else { false } }
    }

    @Test("an endpoint in use is an error that names it")
    func inUse() throws {
        let context = try Context()
        let first = try Socket(.pull, in: context)
        let endpoint = try first.bind(.loopback())
        let second = try Socket(.pull, in: context)
        do {
            _ = try second.bind(endpoint)
            Issue.record("bound twice")
        } catch {
            #expect(error.description.hasPrefix("\(endpoint): bind: "))
            #expect(error.description.hasSuffix("; is another program listening there?"))
        }
    }
}
