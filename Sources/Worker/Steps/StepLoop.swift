import Devices
import Inference
import Links
import Logging
import Sharding
import ZeroMQ

/// The step thread: receives steps, computes them, sends them on. Nothing here waits for anything but the next step.
final class StepLoop {
    /// Messages taken before commands are looked at again.
    private static let messagesPerTurn = 16

    let inbox: Mailbox<StepCommand>
    let control: Mailbox<ControlEvent>
    let counters: StepCounters
    let logger: Logger
    var epochs: [Epoch: EpochStages] = [:]
    let loop: SocketLoop
    let configuration: WorkerConfiguration
    let data: LoopSocket
    /// Lets those in who may send to a stage that is here; nil: connections are in clear.
    let admission: Admission?
    var links: [LinkTarget: DataLink] = [:]
    var survey: OpenSurvey?
    private var isStopping = false
    private var droppedMessages = RepeatedLog()

    /// Runs until it is stopped.
    static func main(
        _ configuration: WorkerConfiguration, context: Context, admission: Admission?, wakeup: Wakeup,
        inbox: Mailbox<StepCommand>, control: Mailbox<ControlEvent>, counters: StepCounters, logger: Logger
    ) {
        do {
            if let first = configuration.cpu.cpus.first {
                // A device of one thread pins the thread that makes it.
                _ = try CPUDevice(CPUDeviceOptions(threads: 1, kernels: configuration.cpu.kernels, cpus: [first]))
            }
            let loop = SocketLoop(context: context, wakeup: wakeup)
            let security = configuration.security.map { SocketSecurity.server($0.keys, domain: .data) } ?? .none
            let data = try loop.open(.router, options: DataLink.receiverOptions(security))
            let endpoint = try data.socket.bind(configuration.bind)
            let steps = StepLoop(
                configuration, loop, data, admission, inbox: inbox, control: control, counters: counters,
                logger: logger)
            try control.post(.listening(endpoint))
            try steps.run()
        } catch {
            // Refused only when the control thread has ended.
            try? control.post(.stepThreadFailed("\(error)"))
        }
    }

    private init(
        _ configuration: WorkerConfiguration, _ loop: SocketLoop, _ data: LoopSocket, _ admission: Admission?,
        inbox: Mailbox<StepCommand>, control: Mailbox<ControlEvent>, counters: StepCounters, logger: Logger
    ) {
        self.configuration = configuration
        self.loop = loop
        self.data = data
        self.admission = admission
        self.inbox = inbox
        self.control = control
        self.counters = counters
        self.logger = logger
    }

    private func run() throws(ZeroMQError) {
        while !isStopping {
            let before = ContinuousClock.now
            let checks = [activationCheck, survey?.deadline].compactMap(\.self)
            try loop.wait(until: checks.reduce(before + .seconds(1)) { min($0, $1) })
            let now = ContinuousClock.now
            for command in inbox.takeAll() { try perform(command) }
            try watchLinks(now: now)
            try watchSurvey(now: now)
            activateReady()
            reportUnreachable(now: now)
            var hasWaited = now - before >= LinkAnswer.waitMin
            for _ in 0..<Self.messagesPerTurn {
                guard let message = try data.socket.receive() else { break }
                take(message, hasWaited: hasWaited)
                hasWaited = false
            }
        }
    }

    // MARK: Commands

    private func perform(_ command: StepCommand) throws(ZeroMQError) {
        switch command {
        case .measure(let order, let run, let heartbeat):
            try measure(order, run, SocketOptions.Heartbeat(heartbeat))
        case .install(let order, let part, let run, let heartbeat):
            try install(order, part, run, SocketOptions.Heartbeat(heartbeat))
        case .activate(let epoch):
            if let stages = epochs[epoch], case .installed = stages.phase {
                try connect(stages)
                stages.phase = .activating(until: .now + Self.linkDeadline)
            } else if let stages = epochs[epoch], case .active = stages.phase {
                post(.activated(epoch))
            }
        case .drop(let epoch):
            epochs[epoch] = nil
            dropUnusedLinks()
            admitSenders()
            noteNewestEpoch()
            post(.drained(epoch))
        case .stop: isStopping = true
        }
    }

    /// Makes the runners of an epoch: their caches and scratch buffers.
    private func install(
        _ order: LoadOrder, _ part: LoadedPart, _ run: RunID, _ heartbeat: SocketOptions.Heartbeat
    ) throws(ZeroMQError) {
        var stages: [Int: EpochStage] = [:]
        var cacheBytes = 0
        do {
            for (stage, weights) in zip(order.stages, part.weights) {
                let target = try target(of: stage)
                let options = try ShardRunnerOptions(stage, order.limits)
                let runner = try ShardRunner(
                    model: part.model, options: options, weights: CountedWeights(weights, counters: counters),
                    device: part.device)
                cacheBytes = saturatingSum(cacheBytes, options.cacheBytes(of: part.model))
                stages[stage.index] = EpochStage(stage, runner: runner, target: target)
            }
        } catch let problem as LoadProblem {
            return fail(order.epoch, problem)
        } catch let error as InferenceError {
            return fail(order.epoch, LoadProblem(.outOfMemory, "\(error)"))
        } catch let error as ZeroMQError {
            return fail(order.epoch, LoadProblem(.other, "\(error)"))
        } catch {
            return fail(order.epoch, LoadProblem(.other, "\(error)"))
        }
        epochs[order.epoch] = EpochStages(
            epoch: order.epoch, run: run, part: part, stages: stages, heartbeat: heartbeat)
        endSurvey()
        admitSenders()
        post(
            .installed(
                Loaded(
                    epoch: order.epoch, weightBytes: UInt64(clamping: part.weightBytes),
                    cacheBytes: UInt64(clamping: cacheBytes))))
    }

    private func fail(_ epoch: Epoch, _ problem: LoadProblem) {
        dropUnusedLinks()
        post(.installFailed(LoadFailure(epoch: epoch, reason: problem.reason, message: problem.message)))
    }

    private func activateReady() {
        for stages in epochs.values where stages.unreadyStages.isEmpty {
            guard case .activating = stages.phase else { continue }
            stages.phase = .active
            noteNewestEpoch()
            post(.activated(stages.epoch))
        }
    }

    private func noteNewestEpoch() {
        let active = epochs.values.filter { if case .active = $0.phase { true } else { false } }
        counters.epoch.store(active.map(\.epoch.rawValue).max() ?? 0, ordering: .relaxed)
    }

    func post(_ event: ControlEvent) {
        do {
            try control.post(event)
        } catch {
            // Closed: the worker is ending. Full: the control thread hangs, and its silence ends this worker.
            logger.error("the control thread takes no events: \(error)")
        }
    }

    /// Drops a message that is damaged, of an older epoch, or not for this worker.
    func drop(_ text: @autoclosure () -> String) {
        if let line = droppedMessages.line(text(), now: .now) { logger.warning("dropped: \(line)") }
    }
}

extension SocketOptions.Heartbeat {
    init(_ settings: HeartbeatSettings) { self.init(interval: settings.interval, timeout: settings.deadAfter) }
}
