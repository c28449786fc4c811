import Logging
import Sharding

/// Everything that a coordinator decides, without sockets, clocks or threads: an event and the time in, actions out.
///
/// A cluster gathers its workers, gives each its layers under a new epoch, activates them, and runs steps. When a
/// worker of the plan is lost, requests end with an error that names it, and gathering begins again.
/// Times are durations since the coordinator's start on a clock that never goes back.
package struct ClusterMachine: Sendable {
    enum Phase: Sendable {
        /// Waiting for workers, or for the time to try again.
        case gathering
        /// All workers are here, and find out what the ways between them give.
        case measuring(LinkMeasurement)
        case loading(EpochPlan)
        /// All are loaded; entered with the orders to activate.
        case activating(EpochPlan, since: Duration)
        /// All are active, the connection to the first stage is being made.
        case connecting(EpochPlan, since: Duration)
        /// Steps are sent; requests are taken once ``ClusterMachine/probe`` has come through.
        case running(EpochPlan)
        /// Left when a worker joins anew.
        case failed(String)
    }

    package let settings: ClusterSettings
    var registry: WorkerRegistry
    var scheduler: StepScheduler
    var phase = Phase.gathering
    var highestEpoch = Epoch.none
    /// What the ways between workers, and to and from here, are known to give.
    var links = LinkTable()
    /// As they were last told.
    var toldLinks: [LinkTable.Edge: LinkEstimate] = [:]
    /// Ways that were to be measured, whatever came of it.
    var askedLinks: Set<LinkTable.Edge> = []
    var linkOrderCount: UInt64 = 0
    /// Where each worker was when its links were measured.
    var linkHosts: [String: String] = [:]
    /// Epochs that failed since a result last came.
    var failures = 0
    var planNotBefore = Duration.zero
    /// Since then nothing but what no other attempt can mend ends the attempts.
    var hasBeenReady = false
    /// The sequence whose token shows that all stages of a new epoch compute; nil once it came.
    var probe: SequenceID?
    /// When the stop was asked for; nothing new is taken since.
    var stoppingSince: Duration?
    /// When the workers were told.
    var farewellSince: Duration?
    var hasStopped = false
    var lastTick: Duration?
    var lastBeat: Duration?

    package init(settings: ClusterSettings) {
        self.settings = settings
        registry = WorkerRegistry(expected: settings.workers)
        scheduler = StepScheduler(capacity: settings.capacity)
    }

    var deadlines: ClusterSettings.Deadlines { settings.deadlines }

    /// The plan that is loading, or runs.
    var currentPlan: EpochPlan? {
        switch phase {
        case .loading(let plan), .activating(let plan, _), .connecting(let plan, _), .running(let plan): plan
        case .gathering, .measuring, .failed: nil
        }
    }

    var isRunning: Bool { if case .running = phase { true } else { false } }

    // MARK: Requests

    /// Takes a request in, or says why not.
    package mutating func submit(
        _ request: TokenRequest, now: Duration
    ) throws(EngineError) -> (SequenceID, [ClusterAction]) {
        try checkReady()
        let id = try scheduler.submit(request, kind: .generate)
        return (id, sendSteps(now: now))
    }

    package mutating func submit(
        _ request: EmbeddingRequest, now: Duration
    ) throws(EngineError) -> (SequenceID, [ClusterAction]) {
        try checkReady()
        let id = try scheduler.submit(
            TokenRequest(prompt: request.tokens, owner: request.owner, priority: request.priority), kind: .embed)
        return (id, sendSteps(now: now))
    }

    /// Opens a diagnostic: a sequence whose chunks return all their logits.
    package mutating func openDiagnostic(now: Duration) throws(EngineError) -> SequenceID {
        try checkReady()
        return try scheduler.submit(TokenRequest(prompt: []), kind: .diagnostic)
    }

    package mutating func append(
        _ chunk: [TokenID], to diagnostic: SequenceID, now: Duration
    ) throws(EngineError) -> [ClusterAction] {
        try checkReady()
        try scheduler.append(chunk, to: diagnostic)
        return sendSteps(now: now)
    }

    package mutating func cancel(_ sequence: SequenceID, now: Duration) -> [ClusterAction] {
        guard let event = scheduler.cancel(sequence, now: now) else { return [] }
        return [.deliver(event)] + sendSteps(now: now)
    }

    private func checkReady() throws(EngineError) {
        guard stoppingSince == nil else { throw EngineError(.unavailable, "the coordinator is stopping") }
        if case .notReady(let reason) = readiness { throw EngineError(.unavailable, reason) }
    }

    // MARK: Steps

    /// A result from the last stage. What an older epoch or another run sends is dropped.
    ///
    /// - Parameter wireBytes: bytes of the step's messages on all hops, the result's included.
    package mutating func receive(
        _ result: StepResult, run: RunID, epoch: Epoch, wireBytes: Int, now: Duration
    ) -> [ClusterAction] {
        guard case .running(let plan) = phase, run == settings.run, epoch == plan.epoch else {
            return [.log(.debug, "dropped the result of step \(result.step) of epoch \(epoch)", worker: nil)]
        }
        switch scheduler.complete(result, wireBytes: wireBytes, now: now) {
        case .ignored(let reason):
            return [.log(.debug, "dropped: \(reason)", worker: nil)]
        case .fault(let reason):
            return endEpoch(reason, now: now)
        case .events(var events):
            let isProbing = probe != nil
            if let reason = takeProbe(from: &events) { return probeFailed(reason, now: now) }
            // A probe alone does not show that requests come through.
            if !events.isEmpty { failures = 0 }
            let ready = isProbing && probe == nil ? [noteReady(plan)] : []
            return ready + events.map { .deliver($0) } + sendSteps(now: now)
        }
    }

    /// The connection to the first stage stands, and what it gives is known.
    package mutating func connected(_ epoch: Epoch, _ estimate: LinkEstimate, now: Duration) -> [ClusterAction] {
        let news = noteLink(stage: -1, epoch, estimate)
        guard case .connecting(let plan, _) = phase, plan.epoch == epoch else { return news }
        phase = .running(plan)
        scheduler.start(
            epoch: epoch, depth: plan.orders.count, machineCount: registry.machineCount(of: plan.orders.keys),
            rowsMax: plan.plan.rowsMax(settings.placementModel), chunkRows: plan.plan.promptChunkRows, now: now)
        startProbe()
        return news + sendSteps(now: now)
    }

    /// A step could not be sent: the first stage does not take it. When its worker was told to leave, nobody waits for one.
    package mutating func notSent(step: UInt64, epoch: Epoch, reason: String, now: Duration) -> [ClusterAction] {
        guard case .running(let plan) = phase, plan.epoch == epoch, farewellSince == nil else { return [] }
        let first = plan.plan.stages.first?.worker ?? ""
        return endEpoch("step \(step) could not be sent to worker \(first): \(reason)", now: now)
    }

    mutating func sendSteps(now: Duration) -> [ClusterAction] {
        guard case .running(let plan) = phase, !hasStopped else { return [] }
        let steps = scheduler.nextSteps(now: now).map { ClusterAction.step($0, plan.epoch) }
        defer { scheduler.begun.removeAll() }
        return scheduler.begun.filter { $0.sequence != probe }.map { .deliver($0) } + steps
    }

    /// The connection to the first stage broke: what was on it may be lost.
    package mutating func disconnected(_ epoch: Epoch, now: Duration) -> [ClusterAction] {
        guard case .running(let plan) = phase, plan.epoch == epoch, !scheduler.inFlight.isEmpty else { return [] }
        return endEpoch("the connection to worker \(plan.plan.stages.first?.worker ?? "") broke", now: now)
    }

    // MARK: The end of an epoch

    /// Ends what runs: requests get `reason`, and a new epoch is planned after a wait that grows with failures.
    mutating func endEpoch(_ reason: String, now: Duration) -> [ClusterAction] {
        endProbe(now: now)
        let message = "\(reason); this request has ended, later ones wait for the cluster"
        let events = scheduler.failAll(
            begun: EngineError(.failed, message), waiting: EngineError(.unavailable, reason))
        failures += 1
        planNotBefore = now + settings.retries.wait(after: failures - 1)
        phase = .gathering
        return [.log(.error, reason, worker: nil)] + events.map { .deliver($0) } + gather(now: now)
    }
}
