import Testing

@testable import ZeroMQ

@Suite("Background work")
struct BackgroundWorkTests {
    @Test("its result and its error come to whoever waits, as often as asked")
    func results() throws {
        let work = BackgroundWork<Int, Never>(name: "test") { _ in 7 }
        #expect(work.wait() == 7)
        #expect(work.wait() == 7)
        let failing = BackgroundWork<Void, ZeroMQError>(name: "test") { _ throws(ZeroMQError) in
            throw ZeroMQError(operation: "test", errno: 1)
        }
        #expect(throws: ZeroMQError.self) { try failing.wait() }
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
