import Collections
import Coordinator
import Sharding

/// A cluster in virtual time: the very decisions that serve, over workers and links that are modelled.
///
/// The coordinator is one more place where things wait for each other: it takes in one event after the other, and what it
/// sends leaves when it has decided. Times are nanoseconds since the cluster was up.
package struct Simulation {
    let setup: SimulatedSetup
    private let decisionTime: DecisionTime
    var machine: ClusterMachine
    private(set) var workers: [SimulatedWorker] = []
    private var indices: [PeerID: Int] = [:]
    private var pipeline: ModelledPipeline?
    private(set) var plan: Plan?
    /// Steps on their way, in the order in which they come back.
    private var returning: Deque<Returning> = []
    private var returnedCount: UInt64 = 0
    /// What the coordinator gave up for.
    private var failure: String?
    var now = 0
    /// When the coordinator has decided what it was asked so far.
    private(set) var freeAt = 0
    private var startTime = Duration.zero
    private var isUp = false
    var timers = Timers()
    var source: RequestSource?
    var meter = SimulationMeter()
    /// Requests that have ended since it was last looked at.
    var endedCount = 0

    private struct Returning {
        var arrival: Int
        var result: StepResult
        var epoch: Epoch
        var wireBytes: Int
    }

    /// Brings a cluster up: workers join, ways are measured, layers are dealt out, all of that in no time.
    package init(_ setup: SimulatedSetup, decisions: DecisionTime = .none) throws {
        self.setup = setup
        decisionTime = decisions
        machine = ClusterMachine(settings: setup.settings)
        for index in setup.devices.indices {
            let peer = PeerID(Array(SimulatedSetup.name(index).utf8))
            workers.append(SimulatedWorker(instance: UInt64(index + 1), peer: peer))
            indices[peer] = index
        }
        for index in setup.devices.indices { report(.hello(setup.hello(of: index)), of: index) }
        if let failure { throw SimulationError(failure) }
        isUp = true
        // A first token goes through the stages before requests are taken.
        while machine.readiness != .ready {
            guard nextReturn != nil else {
                throw SimulationError("the cluster did not come up: \(machine.readiness)")
            }
            handleNext()
            try checkFailure()
        }
    }

    /// Seconds that a step of one row takes through the empty pipeline.
    package var passSeconds: Double { Double(pipeline?.passNanoseconds ?? 0) / 1e9 }

    // MARK: Events

    /// When the next step comes back.
    var nextReturn: Int? { returning.first?.arrival }

    /// Takes the oldest step's result in.
    mutating func takeResult() {
        guard let back = returning.popFirst() else { return }
        returnedCount += 1
        decide(\.steps) { machine, now in
            machine.receive(
                back.result, run: machine.settings.run, epoch: back.epoch, wireBytes: back.wireBytes, now: now)
        }
        meter.noteStep(at: freeAt)
    }

    mutating func tick() { decide(\.membership) { $0.tick(now: $1) } }

    mutating func beat(_ index: Int) {
        workers[index].stepsCompleted = returnedCount
        report(workers[index].heartbeat, of: index)
    }

    /// - Returns: nil where it was turned away.
    mutating func submit(_ request: TokenRequest) -> SequenceID? {
        let asked = now
        var id: SequenceID?
        decide(\.requests) { machine, now in
            guard let (accepted, actions) = try? machine.submit(request, now: now) else { return [] }
            id = accepted
            return actions
        }
        meter.noteRequest(id, at: asked)
        return id
    }

    /// What is sent from now on is counted, from when all that was sent before is back.
    mutating func openWindow(nanoseconds: Int) {
        let start = max(freeAt, pipeline?.lastArrival ?? 0)
        meter.window = start..<start + nanoseconds
        pipeline?.window = start..<start + nanoseconds
    }

    func checkFailure() throws {
        if let failure { throw SimulationError(failure) }
    }

    private mutating func report(_ report: WorkerReport, of index: Int) {
        let peer = workers[index].peer
        decide(\.membership) { machine, now in
            machine.receive(report, from: peer, run: machine.settings.run, now: now)
        }
    }

    // MARK: Decisions

    private mutating func decide(
        _ part: WritableKeyPath<CoordinatorTime, Duration>,
        _ change: (inout ClusterMachine, Duration) -> [ClusterAction]
    ) {
        let start = max(now, freeAt)
        let (actions, spent) = decisionTime.spent(&machine) { change(&$0, .nanoseconds(start)) }
        if isUp {
            freeAt = start + spent
            meter.note(spent, for: part, at: start)
        } else {
            startTime += .nanoseconds(spent)
        }
        perform(actions)
    }

    private mutating func perform(_ actions: [ClusterAction]) {
        for action in actions {
            switch action {
            case .send(let order, let peer):
                follow(order, by: peer)
            case .measure(let order):
                let findings = LinkFindings(order) { _ in .measured(setup.link) }
                decide(\.membership) { $0.measured(findings, by: LinkTable.coordinator, now: $1) }
            case .connect(let epoch, _, _):
                connect(epoch)
            case .step(let step, let epoch):
                send(step, epoch)
            case .deliver(let event):
                deliver(event)
            case .cannotStart(let reason):
                failure = reason.description
            case .log(.error, let line, _):
                failure = line
            case .log, .admit, .admitResults, .restart, .kill, .planned, .stopped:
                break
            }
        }
    }

    private mutating func follow(_ order: CoordinatorOrder, by peer: PeerID) {
        guard let index = indices[peer] else { return }
        let link = setup.link
        let reports = workers[index].follow(order, hello: setup.hello(of: index)) { _ in .measured(link) }
        for answer in reports { report(answer, of: index) }
    }

    private mutating func connect(_ epoch: Epoch) {
        guard let plan = machine.status.plan else { return }
        let devices = setup.devices.enumerated().map { (SimulatedSetup.name($0), $1) }
        pipeline = ModelledPipeline(
            plan, devices: Dictionary(uniqueKeysWithValues: devices), rowBytes: setup.model.rowBytes)
        self.plan = plan
        let link = setup.link
        decide(\.membership) { $0.connected(epoch, link, now: $1) }
    }

    private mutating func send(_ step: Step, _ epoch: Epoch) {
        guard let (arrival, slowest) = pipeline?.send(rows: step.rows.count, at: freeAt) else { return }
        var result = StepResult(foretold: step)
        result.stageNanoseconds = [UInt64(slowest)]
        let hopCount = (plan?.stages.count ?? 0) + 1
        returning.append(
            Returning(
                arrival: arrival, result: result, epoch: epoch,
                wireBytes: step.rows.count * setup.model.rowBytes * hopCount))
    }

    private mutating func deliver(_ event: SequenceEvent) {
        switch event {
        case .token(let id, _):
            meter.noteToken(of: id, at: freeAt)
        case .finished(let id, _, _):
            meter.noteEnd(of: id)
            endedCount += 1
        case .failed(_, let error):
            failure = error.description
        case .begun, .logits, .embedded:
            break
        }
    }

    // MARK: Results

    func report(seconds: Double) throws -> SimulationReport {
        guard let plan, let pipeline else { throw SimulationError("the cluster is not up") }
        return SimulationReport(
            plan: plan, seconds: seconds, counts: meter.counts, stageShares: pipeline.stageShares,
            hopShares: pipeline.hopShares, tokenGap: SimulationReport.Spread(meter.gaps),
            firstToken: SimulationReport.Spread(meter.firsts), coordinator: meter.coordinator, startTime: startTime,
            passSeconds: passSeconds, slowestSeconds: Double(pipeline.slowestNanoseconds) / 1e9)
    }
}
