import Devices
import Inference
import Logging
import Sharding
import ZeroMQ

/// The step thread: receives steps, computes them, sends them on. Nothing here waits for anything but the next step.
final class StepLoop {
    /// Messages taken before commands are looked at again.
    private static let messagesPerTurn = 16
    /// Queues for more than any window of steps in flight, so that a refused send is a fault.
    ///
    /// - Parameter heartbeat: of the end that connects; it pings, and tells the other after what silence to give up.
    private static func dataOptions(_ heartbeat: SocketOptions.Heartbeat? = nil) -> SocketOptions {
        SocketOptions(
            frameBytesMax: WireLimits.payloadBytesMax, sendQueueMax: 256, receiveQueueMax: 256, heartbeat: heartbeat)
    }

    let inbox: Mailbox<StepCommand>
    let control: Mailbox<ControlEvent>
    let counters: StepCounters
    let logger: Logger
    var epochs: [Epoch: EpochStages] = [:]
    let loop: SocketLoop
    private let data: LoopSocket
    private var links: [Endpoint: StageLink] = [:]
    private var isStopping = false
    private var droppedMessages = RepeatedLog()

    /// Runs until it is stopped.
    static func main(
        _ configuration: WorkerConfiguration, context: Context, wakeup: Wakeup, inbox: Mailbox<StepCommand>,
        control: Mailbox<ControlEvent>, counters: StepCounters, logger: Logger
    ) {
        do {
            if let first = configuration.cpu.cpus.first {
                // A device of one thread pins the thread that makes it.
                _ = try CPUDevice(CPUDeviceOptions(threads: 1, kernels: configuration.cpu.kernels, cpus: [first]))
            }
            let loop = SocketLoop(context: context, wakeup: wakeup)
            let data = try loop.open(.pull, options: dataOptions())
            let endpoint = try data.socket.bind(configuration.bind)
            let steps = StepLoop(loop, data, inbox: inbox, control: control, counters: counters, logger: logger)
            try control.post(.listening(endpoint))
            try steps.run()
        } catch {
            // Refused only when the control thread has ended.
            try? control.post(.stepThreadFailed("\(error)"))
        }
    }

    private init(
        _ loop: SocketLoop, _ data: LoopSocket, inbox: Mailbox<StepCommand>, control: Mailbox<ControlEvent>,
        counters: StepCounters, logger: Logger
    ) {
        self.loop = loop
        self.data = data
        self.inbox = inbox
        self.control = control
        self.counters = counters
        self.logger = logger
    }

    private func run() throws(ZeroMQError) {
        while !isStopping {
            try loop.wait(until: .now + .seconds(1))
            for command in inbox.takeAll() { try perform(command) }
            for link in links.values { try watch(link) }
            activateReady()
            for _ in 0..<Self.messagesPerTurn {
                guard let message = try data.socket.receive() else { break }
                take(message)
            }
        }
    }

    // MARK: Commands

    private func perform(_ command: StepCommand) throws(ZeroMQError) {
        switch command {
        case .install(let order, let part, let run, let heartbeat):
            try install(order, part, run, SocketOptions.Heartbeat(heartbeat))
        case .activate(let epoch):
            if let stages = epochs[epoch], case .installed = stages.phase {
                stages.phase = .activating
            } else if let stages = epochs[epoch], case .active = stages.phase {
                post(.activated(epoch))
            }
        case .drop(let epoch):
            epochs[epoch] = nil
            dropUnusedLinks()
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
                guard let endpoint = Endpoint(stage.nextEndpoint), endpoint.isLoopback, endpoint.port > 0 else {
                    throw LoadProblem(
                        .other,
                        "stage \(stage.index): next endpoint: expected one on loopback, got \(stage.nextEndpoint)")
                }
                let options = try ShardRunnerOptions(stage, order.limits)
                let runner = try ShardRunner(
                    model: part.model, options: options, weights: CountedWeights(weights, counters: counters),
                    device: part.device)
                cacheBytes = saturatingSum(cacheBytes, options.cacheBytes(of: part.model))
                stages[stage.index] = EpochStage(stage, runner: runner, next: try link(to: endpoint, heartbeat))
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
        epochs[order.epoch] = EpochStages(epoch: order.epoch, run: run, part: part, stages: stages)
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
        for stages in epochs.values where stages.areLinksReady {
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

    // MARK: Links

    private func link(
        to endpoint: Endpoint, _ heartbeat: SocketOptions.Heartbeat
    ) throws(ZeroMQError) -> StageLink {
        if let link = links[endpoint] { return link }
        let link = StageLink(endpoint, try loop.open(.push, options: Self.dataOptions(heartbeat), monitored: true))
        try link.socket.socket.connect(endpoint)
        links[endpoint] = link
        return link
    }

    private func watch(_ link: StageLink) throws(ZeroMQError) {
        while let event = try link.socket.nextConnectionEvent() {
            switch event {
            case .ready: link.isReady = true
            case .disconnected: link.isReady = false
            case .handshakeFailed(let peer, let reason):
                drop("\(peer): no stage of this protocol: \(reason)")
            case .connected, .accepted: break
            }
        }
    }

    private func dropUnusedLinks() {
        let used = Set(epochs.values.flatMap { $0.stages.values.map(\.next.endpoint) })
        for (endpoint, link) in links where !used.contains(endpoint) {
            loop.close(link.socket)
            links[endpoint] = nil
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
