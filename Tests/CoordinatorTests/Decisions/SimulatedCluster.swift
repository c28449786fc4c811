import Sharding
import Simulation

@testable import Coordinator

/// A machine with workers that are values: what it sends is applied at once or kept, and time is set by hand.
struct SimulatedCluster {
    var machine: ClusterMachine
    var now = Duration.zero
    var processes: [String: SimulatedWorker] = [:]
    /// Steps on their way, oldest first.
    var pipeline: [(step: Step, epoch: Epoch)] = []
    var connection: (epoch: Epoch, endpoint: String)?
    var deliveries: [SequenceEvent] = []
    var failures: [StartFailure] = []
    var plans: [Plan] = []
    var restarts: [(worker: String, at: Duration)] = []
    var killed: [String] = []
    var replies: [HelloReply] = []
    var hasStopped = false
    /// Orders that reach nobody until told so.
    var holdsOrders = false
    var heldOrders: [(CoordinatorOrder, PeerID)] = []
    var logs: [String] = []
    /// What measuring finds; links that are not in it are as those of one machine.
    var links = LinkTable()
    /// Workers measure for ever.
    var isSilentOnLinks = false
    /// Who was told to measure what, oldest first.
    var linkOrders: [(end: String, order: LinkOrder)] = []
    /// Where a worker's data socket is; one that is not in it is on loopback.
    var endpoints: [String: String] = [:]
    /// What all workers may compute on; none: they have one thread each and do not say where.
    var cores: [Int] = []
    /// Whether probes stay in the pipeline like other steps.
    var holdsProbes = false
    private var probes: Set<SequenceID> = []
    /// Data sockets that the coordinator does not reach.
    var outOfReach: Set<String> = []
    private var nextInstance: UInt64 = 1

    static let layerCount = 6
    static let vocabularySize = 100
    static let hiddenSize = 3

    init(
        _ names: [String] = ["a", "b"], isLaunched: Bool = false, maxSequences: Int = 4, queueMax: Int = 4,
        maxRows: Int = 8, contextLength: Int = 64, change: (inout ClusterSettings) -> Void = { _ in }
    ) {
        var settings = ClusterSettings(
            run: RunID(high: 1, low: 2),
            workers: names.map { ClusterSettings.ExpectedWorker(name: $0, start: isLaunched ? .local : .external) },
            model: ModelReference(format: .gguf, files: [ModelReferenceFile(name: "m.gguf", bytes: 1)]),
            placementModel: PlacementModel(
                name: "m",
                layers: Array(
                    repeating: .init(weightBytes: 1 << 20, stateBytesPerToken: 64), count: Self.layerCount),
                headWeightBytes: 1 << 20, scratchBytesPerRow: 16, headScratchBytesPerRow: 16),
            capacity: ClusterSettings.Capacity(
                vocabularySize: Self.vocabularySize, hiddenSize: Self.hiddenSize, contextLength: contextLength,
                maxSequences: maxSequences, queueMax: queueMax, maxRows: maxRows, blockPositions: 16),
            resultsEndpoint: "tcp://127.0.0.1:9")
        change(&settings)
        machine = ClusterMachine(settings: settings)
    }

    // MARK: Workers

    mutating func hello(
        _ name: String, version: ProtocolVersion = .current, highestEpoch: Epoch = .none, endpoint: String? = nil
    ) -> WorkerHello {
        let instance = processes[name]?.instance ?? 0
        return WorkerHello(
            version: version, name: name, instance: instance, processID: Int32(truncatingIfNeeded: instance),
            dataEndpoint: endpoint ?? endpoints[name] ?? "tcp://127.0.0.1:\(1000 + instance)", device: "cpu",
            threadCount: cores.isEmpty ? 1 : cores.count, cores: cores,
            memoryTotalBytes: 1 << 34, memoryAvailableBytes: 1 << 33, bytesPerSecond: 1e10,
            highestEpoch: highestEpoch)
    }

    /// A new process of that name says hello.
    mutating func join(_ name: String, highestEpoch: Epoch = .none) {
        let instance = nextInstance
        nextInstance += 1
        processes[name] = SimulatedWorker(instance: instance, peer: PeerID(Array("\(name)-\(instance)".utf8)))
        let hello = hello(name, highestEpoch: highestEpoch)
        report(.hello(hello), of: name)
    }

    mutating func report(_ report: WorkerReport, of name: String) {
        guard let process = processes[name] else { return }
        perform(machine.receive(report, from: process.peer, run: machine.settings.run, now: now))
    }

    /// All workers join, load and activate.
    mutating func start() {
        for worker in machine.settings.workers { join(worker.name) }
    }

    mutating func die(_ name: String) { processes[name]?.isAlive = false }

    // MARK: Time

    /// Lets time pass in ticks, with heartbeats of those who live.
    mutating func advance(_ duration: Duration, step: Duration = .milliseconds(50)) {
        let end = now + duration
        while now < end {
            now = min(end, now + step)
            for (name, process) in processes.sorted(by: { $0.key < $1.key }) where process.isAlive {
                report(process.heartbeat, of: name)
            }
            perform(machine.tick(now: now))
        }
    }

    // MARK: Requests and steps

    mutating func submit(
        _ prompt: [TokenID], maxTokens: Int? = nil, endTokens: Set<TokenID> = []
    ) throws(EngineError) -> SequenceID {
        let (id, actions) = try machine.submit(
            TokenRequest(prompt: prompt, maxTokens: maxTokens, endTokens: endTokens), now: now)
        perform(actions)
        return id
    }

    /// The oldest step comes back; the token after position p is p, so that answers can be foretold.
    mutating func completeStep(_ change: (inout StepResult) -> Void = { _ in }) {
        guard !pipeline.isEmpty else { return }
        let (step, epoch) = pipeline.removeFirst()
        if !isProbe(step) { for name in processes.keys { processes[name]?.stepsCompleted += 1 } }
        var result = StepResult(foretold: step)
        result.logits = step.rows.filter { $0.output == .logits }.flatMap { row in
            (0..<Self.vocabularySize).map { Float(row.position * 1000 + $0) }
        }
        change(&result)
        receive(result, epoch: epoch)
    }

    mutating func receive(_ result: StepResult, epoch: Epoch, run: RunID? = nil) {
        perform(
            machine.receive(result, run: run ?? machine.settings.run, epoch: epoch, wireBytes: 100, now: now))
    }

    mutating func drain(limit: Int = 10_000) {
        var left = limit
        while !pipeline.isEmpty, left > 0 {
            completeStep()
            left -= 1
        }
    }

    // MARK: Performing

    mutating func perform(_ actions: [ClusterAction]) {
        for action in actions {
            switch action {
            case .send(let order, let peer):
                if holdsOrders { heldOrders.append((order, peer)) } else { take(order, at: peer) }
            case .connect(let epoch, let endpoint, _):
                guard !outOfReach.contains(endpoint) else { continue }
                connection = (epoch, endpoint)
                pipeline.removeAll()
                perform(machine.connected(epoch, .assumedLocal, now: now))
            case .measure(let order):
                linkOrders.append((LinkTable.coordinator, order))
                perform(machine.measured(findings(order, of: LinkTable.coordinator), by: "", now: now))
            case .step(let step, let epoch):
                guard connection?.epoch == epoch else { continue }
                pipeline.append((step, epoch))
                if let probe = machine.probe { probes.insert(probe) }
                if !holdsProbes, pipeline.count == 1, isProbe(step) { completeStep() }
            case .deliver(let event):
                deliveries.append(event)
            case .restart(let worker, let wait):
                restarts.append((worker, now + wait))
            case .kill(let worker):
                killed.append(worker)
                die(worker)
            case .cannotStart(let failure):
                failures.append(failure)
            case .planned(let plan):
                plans.append(plan)
            case .log(_, let line, _):
                logs.append(line)
            case .admit, .admitResults:
                break
            case .stopped:
                hasStopped = true
            }
        }
    }

    /// Whether a step begins, computes or frees a probe, and nothing else.
    private func isProbe(_ step: Step) -> Bool {
        let others = step.operations.filter { operation in
            switch operation {
            case .begin(let id, _), .free(let id): !probes.contains(id)
            case .truncate: true
            }
        }
        return others.isEmpty && step.rows.allSatisfy { probes.contains($0.sequence) }
    }

    private func findings(_ order: LinkOrder, of name: String) -> LinkFindings {
        LinkFindings(order) { links[name, $0.name] ?? .measured(.assumedLocal) }
    }

    private mutating func take(_ order: CoordinatorOrder, at peer: PeerID) {
        if case .helloReply(let reply) = order { replies.append(reply) }
        guard let name = processes.first(where: { $0.value.peer == peer })?.key, processes[name]?.isAlive == true else {
            return
        }
        if case .measureLinks(let order) = order {
            linkOrders.append((name, order))
            if isSilentOnLinks { return }
        }
        let (hello, links) = (hello(name), links)
        let reports = processes[name]?.follow(order, hello: hello) { links[name, $0.name] ?? .measured(.assumedLocal) }
        for answer in reports ?? [] { report(answer, of: name) }
    }

    // MARK: Looking

    func tokens(of id: SequenceID) -> [TokenID] {
        deliveries.compactMap { event in
            if case .token(id, let token) = event { token.token } else { nil }
        }
    }

    func end(of id: SequenceID) -> SequenceEvent? {
        deliveries.last { event in
            switch event {
            case .finished(id, _, _), .failed(id, _): true
            default: false
            }
        }
    }

    func error(of id: SequenceID) -> EngineError? {
        if case .failed(_, let error) = end(of: id) { error } else { nil }
    }

    func finish(of id: SequenceID) -> FinishReason? {
        if case .finished(_, let reason, _) = end(of: id) { reason } else { nil }
    }
}

extension ClusterMachine {
    /// As if its next hello told a lower speed, and that it is on a machine of its own, close by.
    mutating func slowDown(_ name: String, by factor: Double) {
        guard let member = registry.members[name] else { return }
        var hello = member.hello
        hello.bytesPerSecond /= factor
        hello.machine = "another"
        registry.reconnect(hello, peer: member.peer, now: member.lastHeard)
        for other in ["a", "b", LinkTable.coordinator] where other != name {
            links[other, name] = .measured(.assumedLocal)
            links[name, other] = .measured(.assumedLocal)
        }
    }
}
