import Testing
import Threads

@Suite("A value that threads wait for", .timeLimit(.minutes(1)))
struct MonitorTests {
    @Test("a change wakes whoever waits for it, turn after turn")
    func turns() {
        let count = Monitor(0)
        let threads = (0..<4).map { index in
            OwnedThread(name: "turns") {
                for turn in 0..<25 {
                    count.wait { count -> Void? in
                        guard count == turn * 4 + index else { return nil }
                        count += 1
                        return ()
                    }
                }
            }
        }
        #expect(count.wait { $0 == 100 ? $0 : nil } == 100)
        for thread in threads { thread.join() }
    }

    @Test("a lock gives back what its body does")
    func lock() {
        let text = Monitor("a")
        text.withLock { $0 += "b" }
        #expect(text.withLock { $0 } == "ab")
    }
}
