import Testing

@testable import ZeroMQ

@Suite("A thread of our own", .timeLimit(.minutes(1)))
struct OwnedThreadTests {
    @Test("a wait for its end ends without it when the time is up, and with it when it has come")
    func joinWithin() throws {
        let wakeup = try Wakeup()
        let released = Mailbox<Void>(capacity: 1, wakeup: wakeup)
        let context = try Context()
        let thread = OwnedThread(name: "held") {
            let loop = SocketLoop(context: context, wakeup: wakeup)
            while released.takeAll().isEmpty { try? loop.wait(until: .now + .seconds(60)) }
        }
        #expect(!thread.join(within: .milliseconds(20)))
        try released.post(())
        #expect(thread.join(within: .seconds(30)))
        #expect(thread.join(within: .zero))
        thread.join()
    }
}
