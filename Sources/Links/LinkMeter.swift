import Sharding

/// Finds out what a way gives: what to send and what came back in, an estimate out.
///
/// First it sends probes: small ones for the round trip, then longer ones until neither a longer one nor the same again
/// shows a higher rate. Later the traffic itself keeps the estimate fresh: now and then a message that finds the way
/// empty asks for an echo.
///
///     pinging ──▶ filling ──▶ measured ──a sample a second──▶ measured
package struct LinkMeter: Sendable {
    package typealias Instant = ContinuousClock.Instant

    /// Small probes; the fastest counts.
    static let pingsMax = 3
    static let firstFillBytes = 64 << 10
    static let fillBytesMax = LinkProbe.payloadBytesMax
    /// Long probes. TCP's slow start spoils the first of them, a busy machine any: what shows no growth is sent again.
    static let fillsMax = 10
    /// A probe that took so long shows the rate well.
    static let clearTransfer = 0.010
    /// A probe that would take longer is not worth its wait.
    static let fillSecondsMax = 0.5
    /// A probe whose echo has not come is sent again, each time after twice as long: who did not expect it then may now.
    static let resendAfter = Duration.seconds(2)
    /// A rate that grew by less than this factor has grown enough.
    static let growth = 1.2
    /// Between two samples of traffic.
    package static let sampleInterval = Duration.seconds(1)
    /// An echo that has not come by then is not waited for: the receiver was busy when the message came.
    static let sampleExpiry = Duration.seconds(10)
    /// Messages from this size on say something of the rate, smaller ones of the round trip.
    static let rateBytesMin = 32 << 10

    private enum Phase {
        case pinging(left: Int)
        case filling(bytes: Int, left: Int, isRepeat: Bool)
        case measured
    }

    private struct Sent {
        var number: UInt64
        var bytes: Int
        var at: Instant
    }

    private var phase = Phase.pinging(left: LinkMeter.pingsMax)
    private var probe: Sent?
    private var patience = LinkMeter.resendAfter
    private var nextNumber: UInt64 = 1
    private var roundTrip = Double.infinity
    private var bytesPerSecond = 0.0
    private var sample: Sent?
    private var lastSample: Instant?
    // When what was sent last will have left.
    private var emptyAt: Instant?

    package init() {}

    package var isMeasured: Bool { if case .measured = phase { true } else { false } }

    /// nil until all probes have come back.
    package var estimate: LinkEstimate? {
        guard isMeasured else { return nil }
        return LinkEstimate(roundTrip: .seconds(roundTrip), bytesPerSecond: bytesPerSecond)
    }

    // MARK: Probes

    /// Whether an echo has ever come back.
    package var isAnswered: Bool { roundTrip.isFinite }

    /// The probe to send now; nil while one is on its way, and when none is needed any more.
    package mutating func nextProbe(now: Instant) -> (number: UInt64, bytes: Int)? {
        if let probe {
            guard now - probe.at >= patience else { return nil }
            patience *= 2
        }
        let bytes: Int
        switch phase {
        case .pinging: bytes = 0
        case .filling(let count, _, _): bytes = count
        case .measured: return nil
        }
        let number = nextNumber
        nextNumber += 1
        probe = Sent(number: number, bytes: bytes, at: now)
        return (number, bytes)
    }

    /// The probe could not be sent: the connection does not stand.
    package mutating func probeNotSent() { probe = nil }

    /// The connection broke: what was on its way is lost.
    package mutating func disconnected() {
        probe = nil
        sample = nil
        emptyAt = nil
    }

    package mutating func probeEchoed(_ number: UInt64, now: Instant) {
        guard let sent = probe, sent.number == number else { return }
        probe = nil
        patience = Self.resendAfter
        let elapsed = (now - sent.at).seconds
        switch phase {
        case .pinging(let left):
            roundTrip = min(roundTrip, elapsed)
            phase =
                left > 1
                ? .pinging(left: left - 1)
                : .filling(bytes: Self.firstFillBytes, left: Self.fillsMax, isRepeat: false)
        case .filling(let bytes, let left, let isRepeat):
            let transfer = transferSeconds(elapsed)
            let before = bytesPerSecond
            bytesPerSecond = max(before, Double(bytes) / transfer)
            let hasGrown = bytesPerSecond >= before * Self.growth
            let next = min(bytes * 4, Self.fillBytesMax)
            let isNextWorthIt = next > bytes && Double(next) / bytesPerSecond <= Self.fillSecondsMax
            let isSettled = isRepeat && !hasGrown && (transfer >= Self.clearTransfer || !isNextWorthIt)
            if left <= 1 || transfer > Self.fillSecondsMax || isSettled {
                phase = .measured
            } else {
                let isLonger = isNextWorthIt && (hasGrown || isRepeat)
                phase = .filling(bytes: isLonger ? next : bytes, left: left - 1, isRepeat: !isLonger)
            }
        case .measured: break
        }
    }

    // MARK: Traffic

    /// Whether the message that is sent next, now, may ask for an echo: one that waits behind others says nothing.
    package func wantsSample(now: Instant) -> Bool {
        guard isMeasured, now >= emptyAt ?? now else { return false }
        if let sample, now - sample.at < Self.sampleExpiry { return false }
        return lastSample.map { now - $0 >= Self.sampleInterval } ?? true
    }

    /// A message was sent.
    ///
    /// - Parameter isSample: it asks for an echo.
    package mutating func sent(_ number: UInt64, bytes: Int, isSample: Bool, now: Instant) {
        guard isMeasured else { return }
        // A rate that was taken for too low must not keep all samples away that could mend it.
        emptyAt = min(max(emptyAt ?? now, now) + .seconds(Double(bytes) / bytesPerSecond), now + Self.sampleExpiry)
        guard isSample else { return }
        sample = Sent(number: number, bytes: bytes, at: now)
        lastSample = now
    }

    /// The sample's echo has come.
    package mutating func sampleEchoed(_ number: UInt64, now: Instant) {
        guard let sent = sample, sent.number == number else { return }
        sample = nil
        let elapsed = (now - sent.at).seconds
        if sent.bytes < Self.rateBytesMin {
            let trip = max(elapsed - Double(sent.bytes) / bytesPerSecond, 0)
            // A wait on the way is no longer way: slowly up, at once down.
            roundTrip = trip < roundTrip ? trip : roundTrip + (trip - roundTrip) / 8
        } else {
            bytesPerSecond += (Double(sent.bytes) / transferSeconds(elapsed) - bytesPerSecond) / 4
        }
    }

    /// What is left of the time when the way there and back is taken off; never nothing.
    private func transferSeconds(_ elapsed: Double) -> Double { max(elapsed - roundTrip, elapsed / 16, 1e-7) }
}
