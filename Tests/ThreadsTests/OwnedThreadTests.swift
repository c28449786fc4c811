import Testing
import Threads

@Suite("A thread of our own", .timeLimit(.minutes(1)))
struct OwnedThreadTests {
    @Test("a wait for its end ends without it when the time is up, and with it when it has come")
    func joinWithin() throws {
        let isReleased = Monitor(false)
        let thread = OwnedThread(name: "held") { isReleased.wait { $0 ? () : nil } }
        #expect(!thread.join(within: .milliseconds(20)))
        isReleased.withLock { $0 = true }
        #expect(thread.join(within: .seconds(30)))
        #expect(thread.join(within: .zero))
        thread.join()
    }
}
