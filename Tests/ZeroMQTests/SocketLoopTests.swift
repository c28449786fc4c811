import Testing
import Threads
import ZeroMQ

@Suite("SocketLoop")
struct SocketLoopTests {
    @Test("a mailbox wakes its thread, keeps order, and has a bound")
    func mailbox() throws {
        let wakeup = try Wakeup()
        let inbox = Mailbox<Int>(capacity: 1000, wakeup: wakeup)
        let answerWakeup = try Wakeup()
        let answers = Mailbox<[Int]>(capacity: 1, wakeup: answerWakeup)
        let context = try Context()
        let thread = OwnedThread(name: "mailbox-test") {
            let loop = SocketLoop(context: context, wakeup: wakeup)
            var seen: [Int] = []
            while seen.count < 1000 {
                guard (try? loop.wait(until: .now + .seconds(20))) != nil else { break }
                seen += inbox.takeAll()
            }
            try? answers.post(seen)
        }
        for number in 0..<1000 { try inbox.post(number) }
        thread.join()
        #expect(answers.takeAll() == [Array(0..<1000)])
        try answers.post([])
        #expect(throws: Mailbox<[Int]>.Refusal.full) { try answers.post([]) }
        answers.close()
        #expect(throws: Mailbox<[Int]>.Refusal.closed) { try answers.post([]) }
        #expect(answers.takeAll().count == 1)
    }

    @Test("a wait ends at its deadline when nothing happens")
    func deadline() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let start = ContinuousClock.now
        try loop.wait(until: start + .milliseconds(3))
        #expect(ContinuousClock.now >= start + .milliseconds(3))
        try loop.wait(until: start)
    }

    @Test("a context ends with its last socket, however the two are dropped")
    func order() throws {
        var loop: SocketLoop? = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop?.open(.pull, monitored: true)
        weak let context = loop?.context
        loop = nil
        #expect(context != nil)
        #expect(try pull?.socket.bind(.loopback()).isLoopback == true)
    }

    @Test("a connection that libzmq gives up is tried again", arguments: [false, true])
    func connectsAgain(monitored: Bool) throws {
        // It asks for keys, which ends the handshake of one that has none.
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let keys = try CurveKeyPair.generate()
        let admission = try Admission(in: loop.context)
        let secured = SocketOptions(security: .server(keys, domain: .data))
        let wrong = try loop.open(.pull, options: secured, monitored: true)
        let endpoint = try wrong.socket.bind(.loopback())
        let options = SocketOptions(reconnectAfter: .milliseconds(5), reconnectAfterMax: .milliseconds(20))
        let push = try loop.open(.push, options: options, monitored: monitored)
        try push.socket.connect(endpoint)
        let deadline = SocketTests.deadline
        var failureCount = 0
        while failureCount < 3 {
            try #require(ContinuousClock.now < deadline, "it did not try again")
            try loop.wait(until: deadline)
            while let event = try wrong.nextConnectionEvent() {
                if case .handshakeFailed = event { failureCount += 1 }
            }
            while try push.nextConnectionEvent() != nil {}
        }
        // It showed no key, so nobody was asked.
        #expect(admission.refusals.total == 0)
    }

    @Test("the last events of sockets that are closed hold nobody up")
    func closing() throws {
        let loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let pull = try loop.open(.pull)
        let endpoint = try pull.socket.bind(.loopback())
        let staying = try loop.open(.push)
        try staying.socket.connect(endpoint)
        for round in 0..<300 {
            let leaving = try loop.open(.push, monitored: round % 2 == 0)
            try leaving.socket.connect(endpoint)
            if round % 3 == 0 {
                try SocketTests.send([UInt8(round % 250)], on: leaving, loop)
                let message = try SocketTests.receive(pull, loop)
                #expect(message.header.bytes == [UInt8(round % 250)])
            }
            loop.close(leaving)
        }
        try SocketTests.send([255], on: staying, loop)
        let message = try SocketTests.receive(pull, loop)
        #expect(message.header.bytes == [255])
    }
}
