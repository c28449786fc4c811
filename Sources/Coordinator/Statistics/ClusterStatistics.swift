import Collections
import Sharding

/// What has happened in a cluster since its start, as counts, sums and histograms: it is told what the service sees and does,
/// and decides nothing.
///
/// A step costs a few additions for each stage, a token a few for its sequence; nothing here grows but with what is running
/// and with the stages that there have been.
struct ClusterStatistics: Sendable {
    private struct StepInFlight: Sendable {
        var id: UInt64
        var rows: Int
        var promptRows: Int
        var sentAt: Duration
    }

    private struct StageKey: Hashable, Sendable {
        var index: Int
        var worker: String
    }

    private(set) var steps = EngineSnapshot.Steps()
    private(set) var epochs = EngineSnapshot.Epochs()
    var requests = RequestStatistics()
    /// Times that each worker's process was started again.
    private(set) var restarts: [String: UInt64] = [:]

    /// What runs now; nil between epochs.
    private(set) var runningEpoch: Epoch?
    private var stages: [StageKey: EngineSnapshot.Stage] = [:]
    private var route: [StageKey] = []
    private var clock = StageClock(stageCount: 0)
    private var recent = RecentActivity(stageCount: 0)
    private var inFlight: Deque<StepInFlight> = []

    // MARK: Epochs

    /// Steps are sent in an epoch from now on.
    mutating func began(_ epoch: Epoch, _ plan: Plan) {
        runningEpoch = epoch
        epochs.started &+= 1
        inFlight.removeAll()
        let before = route
        route = plan.stages.enumerated().map { StageKey(index: $0, worker: $1.worker) }
        for (key, stage) in zip(route, plan.stages) {
            stages[key, default: EngineSnapshot.Stage(index: key.index, worker: key.worker, units: "")].units =
                stage.units
        }
        clock = StageClock(stageCount: route.count)
        if route != before { recent = RecentActivity(stageCount: route.count) }
    }

    mutating func ended() {
        runningEpoch = nil
        inFlight.removeAll()
    }

    /// An epoch ended, or did not come about, for this reason.
    mutating func failed(_ reason: String, now: Duration) {
        epochs.faults &+= 1
        epochs.lastFault = reason
        epochs.lastFaultSeconds = now.seconds
    }

    mutating func restarted(_ worker: String) { restarts[worker, default: 0] &+= 1 }

    // MARK: Steps

    mutating func sent(_ step: Step, _ epoch: Epoch, now: Duration) {
        guard epoch == runningEpoch else { return }
        for case .begin(let id, _) in step.operations { requests.entered(id) }
        inFlight.append(
            StepInFlight(
                id: step.id, rows: step.rows.count, promptRows: step.rows.count { $0.output == .none }, sentAt: now))
    }

    /// - Returns: the step with the spans of its stages; nil where it is not one that is waited for.
    mutating func completed(
        _ result: StepResult, _ epoch: Epoch, wireBytes: Int, now: Duration
    ) -> CompletedStep? {
        guard epoch == runningEpoch, let step = inFlight.first, step.id == result.step else { return nil }
        inFlight.removeFirst()
        let whole = max(.zero, now - step.sentAt)
        // A worker's word: no stage computed for longer than the step was away.
        let compute = zip(route, result.stageNanoseconds).map { min(.nanoseconds(Int64(clamping: $1)), whole) }
        let spans = clock.place(compute: compute, sent: step.sentAt, arrived: now)
        var sum = Duration.zero
        for (key, time) in zip(route, compute) {
            stages[key]?.compute.note(time)
            stages[key]?.rows &+= UInt64(step.rows)
            sum += time
        }
        steps.completed &+= 1
        steps.rows &+= UInt64(step.rows)
        steps.promptRows &+= UInt64(step.promptRows)
        steps.inFlightSeconds += whole.seconds
        steps.computeSeconds += min(sum, whole).seconds
        steps.wireBytes &+= UInt64(clamping: wireBytes)
        recent.note(
            EngineSnapshot.Step(
                id: step.id, rows: step.rows, promptRows: step.promptRows, sentSeconds: step.sentAt.seconds,
                arrivedSeconds: now.seconds, startSeconds: spans.map(\.lowerBound.seconds),
                computeSeconds: spans.map { ($0.upperBound - $0.lowerBound).seconds }))
        return CompletedStep(
            id: step.id, rows: step.rows, promptRows: step.promptRows, sentAt: step.sentAt, arrivedAt: now, spans: spans
        )
    }

    // MARK: Requests

    /// - Returns: a request that has ended.
    mutating func delivered(_ event: SequenceEvent, now: Duration) -> EndedRequest? {
        if case .token(let id, _) = event, requests.isRunning(id) { recent.noteToken(now: now) }
        return requests.delivered(event, now: now)
    }

    // MARK: Reading

    /// Fills in what was counted here.
    func fill(_ snapshot: inout EngineSnapshot, now: Duration) {
        snapshot.uptimeSeconds = now.seconds
        snapshot.requests = requests.counts
        snapshot.tokens = requests.tokens
        snapshot.times = requests.times
        snapshot.steps = steps
        snapshot.steps.inFlight = inFlight.count
        snapshot.steps.oldestSeconds = inFlight.first.map { (now - $0.sentAt).seconds }
        snapshot.epochs = epochs
        snapshot.stages = route.compactMap { stages[$0] }
        snapshot.recent = recent.snapshot(now: now)
    }
}

/// A step that came back.
struct CompletedStep: Sendable, Hashable {
    var id: UInt64
    var rows: Int
    var promptRows: Int
    var sentAt: Duration
    var arrivedAt: Duration
    /// When each stage computed it.
    var spans: [Range<Duration>]
}
