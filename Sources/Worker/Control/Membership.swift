import Logging
import Sharding

/// Whether this worker belongs to a run of a coordinator, and what it has to say next: events and the time in,
/// actions out.
///
///     away ──connected──▶ greeting ──accepted──▶ joined
///       ▲                    │ ▲                    │
///       └────disconnected────┘ └────lease lapsed────┘
struct Membership {
    typealias Instant = ContinuousClock.Instant

    enum Action: Equatable {
        case sendHello
        case sendHeartbeat
        /// The run is over: its sequences are nobody's any more.
        case dropRun
        case log(Logger.Level, String)
        case end(WorkerOutcome)
    }

    private enum Phase: Equatable {
        case away
        case greeting(nextHello: Instant)
        case joined(nextHeartbeat: Instant)
    }

    /// Without a connection for this long, it is told what may be wrong.
    static let awayTold = Duration.seconds(10)
    /// Pause between hellos that nobody answers.
    static let helloInterval = Duration.seconds(1)
    /// A name may belong to a process that died just now: for so long it is asked for again.
    static let nameTakenWait = Duration.seconds(3)
    static let nameTakenInterval = Duration.milliseconds(500)

    /// The run that is obeyed, until its lease ends.
    private(set) var run: RunID?
    private(set) var heartbeat = HeartbeatSettings()
    private var phase = Phase.away
    private var leaseEnds: Instant?
    private var nameTakenSince: Instant?
    private var saidThatItWaits = false
    /// Since when there is no connection, and whether that it lasts was told.
    private var awaySince: Instant?
    private var saidThatItIsAway = false
    private let name: String
    private let coordinator: String
    private let ending: WorkerEnding
    /// Since when there is no coordinator; nil while there is one.
    private var orphanSince: Instant?

    init(name: String, coordinator: String, ending: WorkerEnding) {
        self.name = name
        self.coordinator = coordinator
        self.ending = ending
    }

    var isJoined: Bool {
        if case .joined = phase { true } else { false }
    }

    /// When something is due without any event.
    func deadline(now: Instant) -> Instant {
        var deadline = now + .seconds(1)
        switch phase {
        case .away: break
        case .greeting(let time), .joined(let time): deadline = min(deadline, time)
        }
        if let leaseEnds { deadline = min(deadline, leaseEnds) }
        return deadline
    }

    mutating func started() -> [Action] { waiting() }

    /// The connection stands.
    mutating func connected(now: Instant) -> [Action] {
        phase = .greeting(nextHello: now + Self.helloInterval)
        return [.sendHello]
    }

    /// A hello found no connection after all.
    mutating func helloNotSent(now: Instant) {
        if case .greeting = phase { phase = .greeting(nextHello: now + .milliseconds(100)) }
    }

    mutating func disconnected() -> [Action] {
        let wasJoined = isJoined
        phase = .away
        return wasJoined ? [.log(.notice, "lost the coordinator at \(coordinator); waiting for it")] : waiting()
    }

    /// A message of `run` came from the coordinator. False: it is of a run that this worker does not obey.
    mutating func heard(_ run: RunID, now: Instant) -> Bool {
        guard run == self.run, isJoined else { return false }
        leaseEnds = now + heartbeat.deadAfter
        return true
    }

    /// Whether a good-bye of `run` is meant for this worker: it may come together with the end of its connection.
    func isOf(_ run: RunID) -> Bool { run == self.run }

    mutating func tick(now: Instant) -> [Action] {
        var actions: [Action] = []
        if let leaseEnds, now >= leaseEnds {
            self.leaseEnds = nil
            run = nil
            actions.append(.dropRun)
            if isJoined {
                phase = .greeting(nextHello: now)
                actions.append(
                    .log(
                        .notice,
                        "the coordinator at \(coordinator) was silent for \(heartbeat.deadAfter); greeting it again"))
            }
        }
        if isJoined { orphanSince = nil } else { orphanSince = orphanSince ?? now }
        if ending == .withCoordinator, let orphanSince, now - orphanSince >= WorkerEnding.orphanAfter {
            return actions + [.end(.left("no coordinator at \(coordinator) for \(WorkerEnding.orphanAfter)"))]
        }
        if phase != .away { awaySince = nil }
        switch phase {
        case .away: actions += stillAway(now: now)
        case .greeting(let next) where now >= next:
            phase = .greeting(nextHello: now + Self.helloInterval)
            actions.append(.sendHello)
        case .joined(let next) where now >= next:
            phase = .joined(nextHeartbeat: now + heartbeat.interval)
            actions.append(.sendHeartbeat)
        case .greeting, .joined: break
        }
        return actions
    }

    /// Once for each time that it lasts: a wrong address and a closed port look the same from here.
    private mutating func stillAway(now: Instant) -> [Action] {
        let since = awaySince ?? now
        if awaySince == nil { (awaySince, saidThatItIsAway) = (now, false) }
        guard !saidThatItIsAway, now - since >= Self.awayTold else { return [] }
        saidThatItIsAway = true
        return [
            .log(
                .warning,
                "no connection to \(coordinator) for \(Self.awayTold): is the coordinator running, is that its address, and "
                    + "is the port open on its machine? going on waiting")
        ]
    }

    /// The coordinator does not know this worker (any more).
    mutating func identify() -> [Action] {
        guard phase != .away else { return [] }
        return [.sendHello]
    }

    mutating func accepted(_ run: RunID, _ heartbeat: HeartbeatSettings, now: Instant) -> [Action] {
        if let leaseEnds, let own = self.run, own != run {
            // Another coordinator, or the same one started anew: the old run may still count on this worker.
            phase = .greeting(nextHello: leaseEnds)
            return [.log(.info, "run \(run) waits until the lease of run \(own) ends")]
        }
        let wasJoined = isJoined && self.run == run
        self.run = run
        self.heartbeat = heartbeat
        leaseEnds = now + heartbeat.deadAfter
        nameTakenSince = nil
        saidThatItWaits = false
        phase = .joined(nextHeartbeat: now)
        return wasJoined ? [] : [.log(.notice, "joined the coordinator at \(coordinator)")]
    }

    mutating func refused(_ refusal: HelloRefusal, now: Instant) -> [Action] {
        let error = WorkerError(.refused, place: coordinator, "refused: \(refusal.message)")
        switch refusal.reason {
        case .versionMismatch:
            return [
                .end(
                    .failed(
                        WorkerError(
                            .refused, place: coordinator,
                            "version: worker \(name) speaks \(ProtocolVersion.current), the coordinator "
                                + "\(refusal.version); install the same version of both")))
            ]
        case .unknownName, .invalid: return [.end(.failed(error))]
        case .nameTaken:
            let since = nameTakenSince ?? now
            nameTakenSince = since
            guard now - since < Self.nameTakenWait else { return [.end(.failed(error))] }
            phase = .greeting(nextHello: now + Self.nameTakenInterval)
            return since == now ? [.log(.warning, refusal.message)] : []
        case .stopping: return stopped("the coordinator is stopping", now: now)
        }
    }

    /// The coordinator says good-bye.
    mutating func stopped(_ reason: String, now: Instant) -> [Action] {
        if phase != .away { phase = .greeting(nextHello: now + Self.helloInterval) }
        guard !ending.endsWithCoordinator else { return [.end(.left(reason))] }
        leaseEnds = nil
        run = nil
        return [.dropRun] + waiting()
    }

    private mutating func waiting() -> [Action] {
        guard !saidThatItWaits else { return [] }
        saidThatItWaits = true
        return [.log(.notice, "waiting for the coordinator at \(coordinator)")]
    }
}
