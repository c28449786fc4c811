import Sharding
import ZeroMQ

/// A connection to a stage, or to the coordinator's results: sends steps there, and knows what the way gives.
///
/// It belongs to the thread of its `SocketLoop`, which calls ``watch(now:)`` whenever it has waited.
package final class DataLink {
    package let target: LinkTarget
    private let loop: SocketLoop
    private let socket: LoopSocket
    /// While the name of the other end's host is looked up.
    private var lookup: HostLookup?
    private let run: RunID
    private var meter = LinkMeter()
    /// Whether the other end has answered the handshake, so that a send is not refused.
    package private(set) var isConnected = false
    /// What went wrong since the other end last answered, where something did: its owner may tell at once.
    package private(set) var failure: String?
    /// How far it has come on its way to be ready.
    private var progress: String?
    private var lastTold: LinkEstimate?
    private var lastToldAt: ContinuousClock.Instant?
    /// What probes say they are for: the end that is probed takes them by it.
    package let epoch: Epoch
    private let stage: Int
    /// Whether it may measure now; others may have to be done first.
    package var mayProbe = true

    /// Something that a link's owner wants to know.
    package enum Change: Sendable, Hashable {
        /// The other end answers.
        case connected
        case disconnected
        /// The estimate is there, or has changed noticeably.
        case measured(LinkEstimate)
    }

    /// What the receiving end of data connections sets. Steps that a peer may have waiting, in bytes; more wait with the
    /// peer, whose queue holds more than any window of steps in flight, so that a refused send is a fault.
    package static func receiverOptions(_ security: SocketSecurity) -> SocketOptions {
        SocketOptions(
            frameBytesMax: WireLimits.payloadBytesMax, sendQueueMax: queueMax, receiveQueueMax: queueMax,
            heartbeat: nil, receiveBytesMax: 512 << 20, security: security)
    }

    private static let queueMax = 256
    /// What comes back are echoes alone.
    private static let echoBytesMax = 4 << 10
    private static let echoesPerTurnMax = 64

    /// - Parameters:
    ///   - epoch: of the plan that the link is for; `.none` before there is one.
    ///   - stage: that probes are for.
    ///   - heartbeat: this end pings, and tells the other after what silence to give up.
    package init(
        to target: LinkTarget, in loop: SocketLoop, run: RunID, epoch: Epoch = .none, stage: Int = 0,
        heartbeat: SocketOptions.Heartbeat?, linger: Duration = .milliseconds(500)
    ) throws(ZeroMQError) {
        self.target = target
        self.loop = loop
        self.run = run
        self.epoch = epoch
        self.stage = stage
        let options = SocketOptions(
            frameBytesMax: Self.echoBytesMax, sendQueueMax: Self.queueMax, receiveQueueMax: Self.echoesPerTurnMax,
            linger: linger, heartbeat: heartbeat, security: target.security)
        socket = try loop.open(.dealer, options: options, monitored: true)
        if target.endpoint.isName {
            lookup = HostLookup(target.endpoint, wakeup: loop.wakeup)
        } else {
            try socket.socket.connect(target.endpoint)
        }
    }

    /// Whether the other end has ever answered a probe.
    package var isAnswered: Bool { meter.isAnswered }

    /// Whether it takes steps, and what the way gives is known.
    package var isReady: Bool { isConnected && meter.isMeasured }

    package var estimate: LinkEstimate? { meter.estimate }

    /// What to tell a person when the time for it to be ready is over.
    package var obstacle: String? {
        lookup == nil ? failure ?? progress : "its name is still being looked up"
    }

    package func close() { loop.close(socket) }

    // MARK: Watching

    /// Takes the connection's events and echoes, and goes on measuring.
    package func watch(now: ContinuousClock.Instant) throws(ZeroMQError) -> [Change] {
        if let found = lookup?.result { try connect(found) }
        var changes: [Change] = []
        while let event = try socket.nextConnectionEvent() {
            switch event {
            case .ready:
                isConnected = true
                failure = nil
                progress = "it does not answer probes"
                changes.append(.connected)
            case .disconnected:
                isConnected = false
                meter.disconnected()
                changes.append(.disconnected)
            case .connected: progress = "it answers, and does not finish the handshake"
            case .handshakeFailed(_, let reason): failure = "handshake: \(reason)"
            case .accepted: break
            }
        }
        for _ in 0..<Self.echoesPerTurnMax {
            guard let message = try socket.socket.receive() else { break }
            take(message, now: now)
        }
        if isConnected, mayProbe { try probe(now: now) }
        if let estimate = meter.estimate, isWorthTelling(estimate, now: now) {
            (lastTold, lastToldAt) = (estimate, now)
            progress = nil
            changes.append(.measured(estimate))
        }
        return changes
    }

    private func connect(_ found: Result<Endpoint, ZeroMQError>) throws(ZeroMQError) {
        lookup = nil
        switch found {
        case .success(let endpoint): try socket.socket.connect(endpoint)
        case .failure(let error): failure = "\(error)"
        }
    }

    /// What is no echo is of no use here, whoever sent it.
    private func take(_ message: borrowing ReceivedMessage, now: ContinuousClock.Instant) {
        guard message.frameCount == 1 else { return }
        message.header.withBytes { bytes in
            guard let frame = try? CheckedFrame(bytes), let echo = try? LinkEcho(frame) else { return }
            if echo.answered == .linkProbe {
                meter.probeEchoed(echo.number, now: now)
            } else {
                meter.sampleEchoed(echo.number, now: now)
            }
        }
    }

    private func probe(now: ContinuousClock.Instant) throws(ZeroMQError) {
        guard let (number, byteCount) = meter.nextProbe(now: now) else { return }
        var payload = Message([UInt8](repeating: 0, count: byteCount))
        let probe = LinkProbe(run: run, epoch: epoch, stage: stage, number: number)
        let frame: [UInt8]
        do throws(WireError) {
            frame = try payload.withBytes { (bytes) throws(WireError) in try probe.frame(payload: bytes) }
        } catch {
            preconditionFailure("a probe is within the wire's bounds: \(error)")
        }
        if try !sendNow(frame, &payload) { meter.probeNotSent() }
    }

    /// The first, and those that differ by a tenth, one a second.
    private func isWorthTelling(_ estimate: LinkEstimate, now: ContinuousClock.Instant) -> Bool {
        guard let lastTold, let lastToldAt else { return true }
        guard now - lastToldAt >= LinkMeter.sampleInterval else { return false }
        let trips = (estimate.roundTrip.seconds, lastTold.roundTrip.seconds)
        let rates = (estimate.bytesPerSecond, lastTold.bytesPerSecond)
        return abs(trips.0 - trips.1) > max(trips.1 / 10, 20e-6) || abs(rates.0 - rates.1) > rates.1 / 10
    }

    // MARK: Sending

    /// Whether it is time for a message that asks for an echo.
    package func wantsEcho(now: ContinuousClock.Instant) -> Bool { meter.wantsSample(now: now) }

    /// Sends a message of one or two frames; waits for nothing.
    ///
    /// - Parameters:
    ///   - step: the step's number.
    ///   - wantsEcho: whether the message asks for one.
    package func send(
        _ frame: [UInt8], payload: inout Message, step: UInt64, wantsEcho: Bool, now: ContinuousClock.Instant
    ) throws(ZeroMQError) {
        let bytes = frame.count + payload.byteCount
        guard try sendNow(frame, &payload) else { throw .sendRefused(to: target.endpoint) }
        meter.sent(step, bytes: bytes, isSample: wantsEcho && meter.wantsSample(now: now), now: now)
    }

    /// A payload up to this travels behind the header, in one frame: each frame costs encryption more than the copy.
    private static let joinedBytesMax = 16 << 10

    /// Sends both frames, or the first alone where the second is empty, or nothing.
    private func sendNow(_ frame: [UInt8], _ payload: inout Message) throws(ZeroMQError) -> Bool {
        if payload.byteCount <= Self.joinedBytesMax {
            var whole = Message(byteCount: frame.count + payload.byteCount) { bytes in
                bytes.copyBytes(from: frame)
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[frame.count...])
                payload.withBytes { rest.copyMemory(from: $0) }
            }
            return try socket.socket.send(&whole) == .sent
        }
        var header = Message(frame)
        guard try socket.socket.send(&header, more: true) == .sent else { return false }
        return try socket.socket.send(&payload) == .sent
    }

    /// Sends what may be more than the queue holds: waits, up to a deadline, for the other end to read.
    ///
    /// - Parameter step: the step's number.
    package func send(
        _ frame: [UInt8], payload: [UInt8], step: UInt64, until deadline: ContinuousClock.Instant
    ) throws(ZeroMQError) {
        while try socket.socket.send(Message(frame), payload: Message(payload)) != .sent {
            guard ContinuousClock.now < deadline else { throw .sendRefused(to: target.endpoint) }
            try socket.socket.waitUntilWritable(until: deadline)
        }
        meter.sent(step, bytes: frame.count + payload.count, isSample: false, now: .now)
    }
}
