import Testing
import Threads

@Suite("Background work")
struct BackgroundWorkTests {
    private struct Refused: Error {}

    @Test("its result and its error come to whoever waits, as often as asked")
    func results() throws {
        let work = BackgroundWork<Int, Never>(name: "test") { _ in 7 }
        #expect(work.wait() == 7)
        #expect(work.wait() == 7)
        let failing = BackgroundWork<Void, Refused>(name: "test") { _ throws(Refused) in
            throw Refused()
        }
        #expect(throws: Refused.self) { try failing.wait() }
    }

    @Test("it sees that nobody wants it any more")
    func cancelled() {
        let work = BackgroundWork<Bool, Never>(name: "test") { isCancelled in
            while !isCancelled() {}
            return true
        }
        work.cancel()
        #expect(work.wait())
    }
}
