import Devices
import Glibc
import Logging
import Sharding
import ZeroMQ

/// The control thread: speaks with the coordinator, and tells the step and loader threads what to do.
final class ControlLoop {
    /// Reports that wait for a connection.
    private static let outboxMax = 1024

    let configuration: WorkerConfiguration
    /// nil for a worker that has the files.
    let exchange: WeightExchange?
    let steps: Mailbox<StepCommand>
    let inbox: Mailbox<ControlEvent>
    let logger: Logger
    var membership: Membership
    var epochs = HeldEpochs()
    var outcome: WorkerOutcome?
    private let loop: SocketLoop
    private let socket: LoopSocket
    private let counters: StepCounters
    private let machine = MachineFiles()
    private var outbox: [WorkerReport] = []
    private var dataEndpoint: Endpoint?
    private var bytesPerSecond = 0.0
    private var speed: ComputeSpeed?
    private var diskBytesPerSecond = 0.0
    private var programBytes = 0
    private let instance = UInt64.random(in: .min ... .max)
    private var refusedMessages = RepeatedLog()
    private var failedHandshakes = RepeatedLog(interval: .seconds(10))

    /// Runs until the worker ends.
    static func main(
        _ configuration: WorkerConfiguration, context: Context, exchange: WeightExchange?, wakeup: Wakeup,
        inbox: Mailbox<ControlEvent>, steps: Mailbox<StepCommand>, counters: StepCounters, logger: Logger
    ) -> WorkerOutcome {
        do throws(ZeroMQError) {
            let loop = SocketLoop(context: context, wakeup: wakeup)
            let control = try ControlLoop(
                configuration, loop: loop, exchange: exchange, inbox: inbox, steps: steps, counters: counters,
                logger: logger)
            return try control.run()
        } catch {
            return .failed(WorkerError(.failed, place: "control socket", "\(error)"))
        }
    }

    private init(
        _ configuration: WorkerConfiguration, loop: SocketLoop, exchange: WeightExchange?,
        inbox: Mailbox<ControlEvent>, steps: Mailbox<StepCommand>, counters: StepCounters, logger: Logger
    ) throws(ZeroMQError) {
        self.configuration = configuration
        self.exchange = exchange
        self.loop = loop
        self.inbox = inbox
        self.steps = steps
        self.counters = counters
        self.logger = logger
        membership = Membership(
            name: configuration.name, coordinator: configuration.coordinator.description,
            ending: configuration.ending)
        // Pings come from the coordinator, with the time after which this end too gives the connection up.
        var options = SocketOptions(frameBytesMax: 4 << 20, sendQueueMax: 256, receiveQueueMax: 256, heartbeat: nil)
        if let security = configuration.security {
            options.security = .client(security.keys, server: security.coordinator)
        }
        socket = try loop.open(.dealer, options: options, monitored: true)
    }

    private func run() throws(ZeroMQError) -> WorkerOutcome {
        while outcome == nil {
            try loop.wait(until: membership.deadline(now: .now))
            for event in inbox.takeAll() { try take(event) }
            while let event = try socket.nextConnectionEvent() { take(event) }
            while outcome == nil, let message = try socket.socket.receive() { take(message) }
            perform(membership.tick(now: .now))
            try flush()
        }
        epochs.cancelLoad()
        if case .left(let reason) = outcome, membership.isJoined { sayGoodbye(reason) }
        return outcome ?? .left("")
    }

    // MARK: Other threads

    private func take(_ event: ControlEvent) throws(ZeroMQError) {
        switch event {
        case .listening(let endpoint): try start(listeningAt: endpoint)
        case .stepThreadFailed(let message): end(.failed(WorkerError(.failed, place: "data socket", message)))
        case .loadProgress(let progress):
            if epochs.isLoading(progress.epoch) { report(.loadProgress(progress)) }
        case .partLoaded(let order, let part): partLoaded(order, part)
        case .loadFailed(let failure), .installFailed(let failure): loadFailed(failure)
        case .installed(let loaded):
            if epochs.installed(loaded) { report(.loaded(loaded)) }
        case .activated(let epoch): report(.activated(epoch))
        case .drained(let epoch):
            if epochs.drained(epoch) { report(.drained(epoch)) }
        case .linkFailed(let failure):
            logger.warning(
                "no way to \(failure.endpoint): \(failure.message)", metadata: ["epoch": "\(failure.epoch)"])
            report(.linkFailed(failure))
        case .linkMeasured(let link): report(.linkMeasured(link))
        case .linksMeasured(let findings): report(.linksMeasured(findings))
        case .stepFailed(let failure):
            logger.warning("step \(failure.step) failed: \(failure.message)", metadata: ["epoch": "\(failure.epoch)"])
            report(.stepFailed(failure))
        case .leave(let reason): end(.left(reason))
        }
    }

    private func start(listeningAt endpoint: Endpoint) throws(ZeroMQError) {
        dataEndpoint = advertised(endpoint)
        // Large enough that caches do not hold it, small enough to take some 50 ms.
        let bytesMax = min(64 << 20, (configuration.memoryBytesMax ?? .max) / 4)
        bytesPerSecond =
            MemoryBandwidth.measure(threadCount: configuration.cpu.threads, bytesMax: bytesMax) ?? 0
        speed = WorkerSpeed(configuration).known()
        if configuration.residency == .memoryEfficient {
            diskBytesPerSecond = DiskRate(configuration).known() ?? 0
            programBytes = machine.heldBytes
        }
        perform(membership.started())
        try socket.socket.connect(configuration.coordinator)
    }

    /// The data socket's endpoint for others: a wildcard is this machine as the coordinator's network sees it, or stays
    /// one where this is the coordinator's machine, for everybody to put its address there.
    ///
    /// - Parameter isFixed: whether the port that is advertised is this socket's.
    private func advertised(_ bound: Endpoint, isFixed: Bool = true) -> Endpoint {
        if let advertise = configuration.advertise {
            let port = isFixed && advertise.port != 0 ? advertise.port : bound.port
            return Endpoint(host: advertise.host, port: port)
        }
        guard bound.isWildcard else { return bound }
        let coordinator = configuration.coordinator
        guard !coordinator.isLoopback,
            let host = try? LocalAddress.toward(host: coordinator.host, port: coordinator.port),
            host != coordinator.host
        else { return Endpoint(host: "*", port: bound.port) }
        return Endpoint(host: host, port: bound.port)
    }

    // MARK: The coordinator

    private func take(_ event: ConnectionEvent) {
        switch event {
        case .ready: perform(membership.connected(now: .now))
        case .disconnected:
            // What waits to be sent answers orders that the coordinator gives again.
            outbox.removeAll()
            perform(membership.disconnected())
        case .handshakeFailed(let peer, let reason):
            notJoined("\(peer): the coordinator does not let worker \(configuration.name) in: \(reason)\(keyHint)")
        case .connected, .accepted: break
        }
    }

    private func take(_ message: borrowing ReceivedMessage) {
        do {
            guard message.frameCount == 1 else {
                return refuse("\(configuration.coordinator): expected 1 frame, got \(message.frameCount)")
            }
            let (run, order) = try message.header.withBytes { (bytes) throws(WireError) in
                let frame = try CheckedFrame(bytes)
                return (frame.prefix.run, try CoordinatorOrder(frame))
            }
            take(order, run: run)
        } catch {
            refuse("\(configuration.coordinator): \(error)")
        }
    }

    private func take(_ order: CoordinatorOrder, run: RunID) {
        let now = ContinuousClock.now
        switch order {
        case .helloReply(.accepted(let accepted, let heartbeat)):
            return perform(membership.accepted(accepted, heartbeat, now: now))
        case .helloReply(.refused(let refusal)): return perform(membership.refused(refusal, now: now))
        case .identify: return perform(membership.identify())
        case .measureLinks, .load, .activate, .drain, .heartbeat, .stop: break
        }
        if case .stop(let reason) = order, membership.isOf(run) {
            // The coordinator waits for it, also from one that stays for the next.
            if membership.isJoined { sayGoodbye(reason) }
            return perform(membership.stopped(reason, now: now))
        }
        guard membership.heard(run, now: now) else {
            return refuse("\(configuration.coordinator): an order of run \(run), which this worker does not obey")
        }
        switch order {
        case .measureLinks(let order): command(.measure(order, run, membership.heartbeat))
        case .load(let order): load(order, run: run)
        case .activate(let epoch): activate(epoch)
        case .drain(let epoch): drain(epoch)
        case .helloReply, .identify, .heartbeat, .stop: break
        }
    }

    private func perform(_ actions: [Membership.Action]) {
        for action in actions {
            switch action {
            case .sendHello: sendHello()
            case .sendHeartbeat: report(.heartbeat(heartbeat()))
            case .dropRun: dropRun()
            case .log(let level, let line): logger.log(level: level, "\(line)")
            case .end(let outcome): end(outcome)
            }
        }
    }

    private func end(_ outcome: WorkerOutcome) {
        if self.outcome == nil { self.outcome = outcome }
    }

    // MARK: Sending

    /// Sends a report as soon as it can be sent.
    func report(_ report: WorkerReport) {
        guard outbox.count < Self.outboxMax else {
            return end(.failed(WorkerError(.failed, place: "reports", "\(Self.outboxMax) wait; nobody takes them")))
        }
        outbox.append(report)
    }

    private func flush() throws(ZeroMQError) {
        guard membership.isJoined else { return }
        while let first = outbox.first {
            guard try send(first) == .sent else {
                // A heartbeat is only worth something now.
                outbox.removeAll { if case .heartbeat = $0 { true } else { false } }
                return
            }
            outbox.removeFirst()
        }
    }

    @discardableResult
    private func send(_ report: WorkerReport) throws(ZeroMQError) -> SendOutcome {
        let frame: [UInt8]
        do throws(WireError) {
            frame = try report.frame(run: membership.run ?? .none)
        } catch {
            refuse("a report cannot be sent: \(error)")
            return .sent
        }
        return try socket.socket.send(to: nil, Message(frame))
    }

    private func sayGoodbye(_ reason: String) {
        do {
            try send(.leaving(reason))
        } catch {
            logger.warning("the coordinator was not told that this worker leaves: \(error)")
        }
    }

    private func sendHello() {
        guard let dataEndpoint else { return }
        let memory = machine.memory
        let total = min(memory.totalBytes, configuration.memoryBytesMax ?? .max)
        let hello = WorkerHello(
            name: configuration.name, instance: instance, processID: getpid(),
            publicKey: configuration.security?.keys.publicKey, dataEndpoint: dataEndpoint.description,
            device: configuration.device, threadCount: configuration.cpu.threads,
            hasChosenThreads: configuration.hasChosenThreads,
            cores: configuration.cpu.cpus.isEmpty ? machine.computeCPUs : configuration.cpu.cpus,
            memoryTotalBytes: UInt64(clamping: total),
            memoryAvailableBytes: UInt64(clamping: min(total, memory.availableBytes)),
            bytesPerSecond: bytesPerSecond, speed: speed, diskBytesPerSecond: diskBytesPerSecond,
            programBytes: UInt64(clamping: programBytes),
            cachedHashes: exchange?.store.hashes(max: WorkerHello.cachedHashesMax).map(\.bytes) ?? [],
            highestEpoch: epochs.highest,
            weightsEndpoint: exchange.map { advertised($0.endpoint, isFixed: false).description },
            machine: machine.id, run: membership.run)
        let outcome = try? send(.hello(hello))
        if outcome != .sent { membership.helloNotSent(now: .now) }
    }

    private func heartbeat() -> WorkerHeartbeat {
        WorkerHeartbeat(
            epoch: Epoch(counters.epoch.load(ordering: .relaxed)),
            stepsReceived: counters.stepsReceived.load(ordering: .relaxed),
            stepsCompleted: counters.stepsCompleted.load(ordering: .relaxed),
            layersCompleted: counters.layersCompleted.load(ordering: .relaxed),
            memoryAvailableBytes: UInt64(clamping: machine.memory.availableBytes))
    }

    private var keyHint: String {
        guard let security = configuration.security else {
            return "; if it has keys, give --key and --coordinator-key"
        }
        return "; is \(security.coordinator) its key (--coordinator-key), and \(security.keys.publicKey) listed for "
            + "\(configuration.name) under security.workers in its cluster.yaml?"
    }

    /// The connection stood and its handshake failed; it is tried again and again.
    private func notJoined(_ text: String) {
        if let line = failedHandshakes.line(text, now: .now) { logger.warning("\(line)") }
    }

    /// Drops what is not for this worker, or no message at all.
    func refuse(_ text: String) {
        if let line = refusedMessages.line(text, now: .now) { logger.warning("dropped: \(line)") }
    }
}
