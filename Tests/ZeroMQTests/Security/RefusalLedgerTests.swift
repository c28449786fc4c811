import Testing

@testable import ZeroMQ

@Suite("Refusal ledger")
struct RefusalLedgerTests {
    let start = ContinuousClock.now

    private func key(_ number: Int) throws -> CurvePublicKey {
        let start = [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
        return try #require(CurvePublicKey(bytes: start + [UInt8](repeating: 1, count: 30)))
    }

    @Test("one key is reported once a second, and counted each time")
    func oneKey() throws {
        var ledger = RefusalLedger()
        let key = try key(1)
        let reported = (0..<30).filter { ledger.note(key, at: start + .milliseconds(100 * $0)) }
        #expect(reported == [0, 10, 20])
        #expect(ledger.counts.total == 30)
        #expect(ledger.counts.byKey == [key: 30])
    }

    @Test("peers without a key are a source of their own")
    func withoutKey() throws {
        var ledger = RefusalLedger()
        let reported = [
            ledger.note(nil, at: start), ledger.note(try key(1), at: start),
            ledger.note(nil, at: start + .milliseconds(999)), ledger.note(nil, at: start + .seconds(1)),
        ]
        #expect(reported == [true, true, false, true])
        #expect(ledger.counts.withoutKey == 3)
    }

    @Test("ten thousand keys are all counted, 256 by name, and reported 16 times a second")
    func many() throws {
        var ledger = RefusalLedger()
        var reportCount = 0
        for number in 0..<10_000 where ledger.note(try key(number), at: start + .microseconds(100 * number)) {
            reportCount += 1
        }
        #expect(reportCount == RefusalLedger.reportsPerPauseMax)
        let isReportedLater = ledger.note(try key(9999), at: start + .seconds(1))
        #expect(isReportedLater)
        #expect(ledger.counts.total == 10_001)
        #expect(ledger.counts.byKey.count == RefusalLedger.keysMax)
        #expect(ledger.counts.ofOtherKeys == 10_001 - 256)
    }
}
