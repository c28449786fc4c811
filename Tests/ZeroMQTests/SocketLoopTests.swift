import Testing
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
}
