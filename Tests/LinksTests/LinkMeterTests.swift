import Sharding
import Testing

@testable import Links

@Suite("Measuring a link")
struct LinkMeterTests {
    /// A way with a delay and a rate; time is set by hand. TCP sends more at a time the more has gone through, where it
    /// starts slowly.
    private struct Way {
        var meter = LinkMeter()
        var now = ContinuousClock.now
        /// There and back.
        var roundTrip: Double
        var bytesPerSecond: Double
        var window: Double?
        var probes: [Int] = []

        mutating func measure() {
            for _ in 0..<20 {
                guard let (number, bytes) = meter.nextProbe(now: now) else { return }
                probes.append(bytes)
                pass(bytes)
                meter.probeEchoed(number, now: now)
            }
        }

        mutating func pass(_ bytes: Int) {
            var rest = Double(bytes)
            while let window, rest > window, window < roundTrip * bytesPerSecond {
                now += .seconds(roundTrip)
                rest -= window
                self.window = window * 2
            }
            now += .seconds(roundTrip + rest / bytesPerSecond)
        }

        /// A message that asks for an echo, and gets it.
        mutating func sample(_ number: UInt64, bytes: Int) {
            meter.sent(number, bytes: bytes, isSample: true, now: now)
            pass(bytes)
            meter.sampleEchoed(number, now: now)
        }
    }

    @Test(
        "delay and rate are found within a few percent",
        arguments: [(0.0001, 2e9), (0.0004, 112e6), (0.04, 12.5e6), (0.2, 0.625e6)])
    func found(roundTrip: Double, bytesPerSecond: Double) throws {
        var way = Way(roundTrip: roundTrip, bytesPerSecond: bytesPerSecond)
        #expect(way.meter.estimate == nil)
        way.measure()
        let estimate = try #require(way.meter.estimate)
        #expect(abs(estimate.roundTrip.seconds / roundTrip - 1) < 0.01)
        #expect(abs(estimate.bytesPerSecond / bytesPerSecond - 1) < 0.05)
    }

    @Test("a slow way is not filled for long")
    func bounded() {
        var way = Way(roundTrip: 0.2, bytesPerSecond: 0.625e6)
        let before = way.now
        way.measure()
        #expect(way.now - before < .seconds(3))
        #expect(way.probes.max()! <= LinkMeter.firstFillBytes * 4)
    }

    @Test(
        "a connection that starts slowly is not taken for a slow way",
        arguments: [(0.1, 12.5e6), (0.04, 12.5e6), (0.2, 1.25e6), (0.01, 112e6)])
    func slowStart(roundTrip: Double, bytesPerSecond: Double) throws {
        var way = Way(roundTrip: roundTrip, bytesPerSecond: bytesPerSecond, window: 14_600)
        way.measure()
        let estimate = try #require(way.meter.estimate)
        #expect(estimate.bytesPerSecond <= bytesPerSecond * 1.01)
        #expect(estimate.bytesPerSecond >= bytesPerSecond * 0.6)
    }

    @Test("a probe without an echo is sent again, later each time, and the lost echo counts no more")
    func lostProbe() {
        var meter = LinkMeter()
        var now = ContinuousClock.now
        let first = meter.nextProbe(now: now)
        #expect(meter.nextProbe(now: now + .seconds(1)) == nil)
        now += .seconds(2)
        let second = meter.nextProbe(now: now)
        #expect(meter.nextProbe(now: now + .seconds(3)) == nil)
        now += .seconds(4)
        let third = meter.nextProbe(now: now)
        meter.probeEchoed(first?.number ?? 0, now: now)
        meter.probeEchoed(second?.number ?? 0, now: now)
        #expect(!meter.isAnswered)
        now += .milliseconds(30)
        meter.probeEchoed(third?.number ?? 0, now: now)
        #expect(meter.isAnswered)
        #expect(meter.nextProbe(now: now) != nil, "the next, at once")
    }

    @Test("traffic that the rate was taken for too low for does not keep samples away for long")
    func busyWay() {
        var way = Way(roundTrip: 0.1, bytesPerSecond: 100e3)
        way.measure()
        for number in 0..<1000 {
            way.meter.sent(UInt64(number), bytes: 50_000, isSample: false, now: way.now)
            way.now += .milliseconds(10)
        }
        way.now += .seconds(10)
        #expect(way.meter.wantsSample(now: way.now))
    }

    @Test("an echo of nothing that is asked changes nothing")
    func strangeEcho() {
        var meter = LinkMeter()
        let now = ContinuousClock.now
        meter.probeEchoed(77, now: now)
        meter.sampleEchoed(1, now: now)
        let first = meter.nextProbe(now: now)
        #expect(first?.bytes == 0)
        #expect(meter.nextProbe(now: now) == nil)
        meter.probeEchoed(77, now: now)
        #expect(meter.nextProbe(now: now) == nil)
        meter.disconnected()
        #expect(meter.nextProbe(now: now) != nil)
    }

    @Test("traffic shows that a way got slower, and faster again")
    func refreshed() throws {
        var way = Way(roundTrip: 0.001, bytesPerSecond: 100e6)
        way.measure()
        way.bytesPerSecond = 10e6
        way.roundTrip = 0.05
        for number in 1...40 {
            way.now += .seconds(2)
            way.sample(UInt64(number), bytes: number % 2 == 0 ? 4096 : 4 << 20)
        }
        let slow = try #require(way.meter.estimate)
        #expect(abs(slow.bytesPerSecond / 10e6 - 1) < 0.1)
        #expect(abs(slow.roundTrip.seconds / 0.05 - 1) < 0.15)
        way.roundTrip = 0.001
        way.sample(99, bytes: 4096)
        #expect(try #require(way.meter.estimate).roundTrip < .milliseconds(2))
    }

    @Test("only a message that finds the way empty is a sample, one a second")
    func samples() {
        var way = Way(roundTrip: 0.01, bytesPerSecond: 1e6)
        way.measure()
        #expect(way.meter.wantsSample(now: way.now))
        way.meter.sent(1, bytes: 500_000, isSample: false, now: way.now)
        #expect(!way.meter.wantsSample(now: way.now + .milliseconds(400)))
        #expect(way.meter.wantsSample(now: way.now + .milliseconds(520)))
        way.now += .seconds(1)
        way.sample(2, bytes: 100)
        #expect(!way.meter.wantsSample(now: way.now + .milliseconds(500)))
        #expect(way.meter.wantsSample(now: way.now + .seconds(1)))
        way.now += .seconds(1)
        way.meter.sent(3, bytes: 100, isSample: true, now: way.now)
        #expect(!way.meter.wantsSample(now: way.now + .seconds(5)), "one is on its way")
        #expect(way.meter.wantsSample(now: way.now + .seconds(11)), "its receiver was busy")
    }
}
