import Inference
import Logging
import Sharding
import Threads
import WeightTransfer
import ZeroMQ

/// Performs what the cluster's decisions ask for: the one actor between requests, sockets and processes.
package actor CoordinatorService {
    /// What a service needs besides its decisions.
    package struct Parts: Sendable {
        package var sockets: SocketThread
        package var table: EmbeddingTable
        /// Hands weights out; nil where all workers have the files.
        package var weights: WeightServer?
        /// Starts and ends worker processes; nil where all workers are started by others.
        package var processes: (any WorkerProcesses)?
        package var logger: Logger
        /// Where steps and requests are noted; nil for nowhere.
        package var trace: TraceFile?

        package init(
            sockets: SocketThread, table: EmbeddingTable, weights: WeightServer? = nil,
            processes: (any WorkerProcesses)?, logger: Logger
        ) {
            self.sockets = sockets
            self.table = table
            self.weights = weights
            self.processes = processes
            self.logger = logger
        }
    }

    /// How often time passes for the decisions.
    private static let tickInterval: Duration = .milliseconds(50)

    private var machine: ClusterMachine
    private let sockets: SocketThread
    private let embedding: EmbeddingThread
    private let embeddingFailures: AsyncStream<SocketThread.Event>
    private let weights: WeightServer?
    private let processes: (any WorkerProcesses)?
    private let logger: Logger
    private let trace: TraceFile?
    private let started = ContinuousClock.now
    private var streams: [SequenceID: TokenStream.Continuation] = [:]
    private var chunks: [SequenceID: CheckedContinuation<Result<[Float], EngineError>, Never>] = [:]
    private var embeddings: [SequenceID: CheckedContinuation<Result<Embedding, EngineError>, Never>] = [:]
    private var startFailure: StartFailure?
    private var wasReady = false
    private var plan: Plan?
    /// As it was when the stop was asked for.
    private(set) var lastReadiness = EngineReadiness.ready
    private var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    private var watcherCount = 0
    private var statistics = ClusterStatistics()

    package init(settings: ClusterSettings, parts: Parts) throws(ZeroMQError) {
        machine = ClusterMachine(settings: settings)
        sockets = parts.sockets
        weights = parts.weights
        processes = parts.processes
        logger = parts.logger
        trace = parts.trace
        let (failures, continuation) = AsyncStream<SocketThread.Event>.makeStream(
            bufferingPolicy: .bufferingOldest(256))
        embeddingFailures = failures
        embedding = try EmbeddingThread(table: parts.table, run: settings.run, sockets: parts.sockets) {
            continuation.yield(.notSent(step: $0, $1, $2))
        }
    }

    private var now: Duration { started.duration(to: .now) }

    package var status: ClusterStatus { machine.status }
    package var readiness: EngineReadiness { machine.readiness }

    /// Runs until the cluster was stopped; then all requests have ended and the launched processes are gone.
    ///
    /// - Throws: ``CoordinatorError`` when the cluster cannot come up, or the sockets break.
    package func run() async throws(CoordinatorError) {
        processes?.startAll()
        let outcome = await withTaskGroup(of: CoordinatorError?.self) { group in
            group.addTask { await self.serve(self.sockets.events.events) { self.sockets.events.taken() } }
            group.addTask { await self.serve(self.embeddingFailures) {} }
            group.addTask { await self.watchProcesses() }
            group.addTask { await self.tick() }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        await shutDown()
        if let outcome { throw outcome }
    }

    /// Drains, then ends ``run()``.
    package func stop() {
        lastReadiness = machine.readiness
        perform(machine.stop(now: now))
    }

    // MARK: Events

    /// - Parameter taken: called for each event, before it is handled.
    private func serve(
        _ events: AsyncStream<SocketThread.Event>, taken: @Sendable () -> Void
    ) async -> CoordinatorError? {
        for await event in events {
            taken()
            if case .broken(let reason) = event {
                return CoordinatorError(.failed, "the coordinator's sockets failed: \(reason)")
            }
            handle(event)
            if isOver { return nil }
        }
        // Cancelled, or nothing comes from here any more: time goes on elsewhere.
        try? await Task.sleep(for: .seconds(3600 * 24 * 365))
        return nil
    }

    private var isOver: Bool { machine.hasStopped }

    private func handle(_ event: SocketThread.Event) {
        switch event {
        case .report(let report, let peer, let run):
            perform(machine.receive(report, from: peer, run: run, now: now))
            if case .loadProgress = report { tellWatchers() }
        case .result(let message, let wireBytes):
            let step = statistics.completed(message.result, message.epoch, wireBytes: wireBytes, now: now)
            if let step { trace?.note(.step(step)) }
            perform(
                machine.receive(
                    message.result, run: message.run, epoch: message.epoch, wireBytes: wireBytes, now: now))
        case .connected(let epoch, let estimate):
            perform(machine.connected(epoch, estimate, now: now))
        case .linkMeasured(let epoch, let estimate):
            perform(machine.noteLink(stage: -1, epoch, estimate))
        case .linksMeasured(let findings):
            perform(machine.measured(findings, by: LinkTable.coordinator, now: now))
        case .disconnected(let epoch):
            perform(machine.disconnected(epoch, now: now))
        case .notSent(let step, let epoch, let reason):
            perform(machine.notSent(step: step, epoch: epoch, reason: reason, now: now))
        case .rejected(let reason):
            logger.warning("rejected a message: \(reason)")
        case .refused(let refusal):
            logger.warning("\(describe(refusal))")
        case .broken:
            break
        }
    }

    private func tick() async -> CoordinatorError? {
        while !Task.isCancelled {
            perform(machine.tick(now: now))
            if isOver { return nil }
            if let startFailure, !wasReady { return CoordinatorError(startFailure) }
            try? await Task.sleep(for: Self.tickInterval)
        }
        return nil
    }

    private func watchProcesses() async -> CoordinatorError? {
        if let processes {
            for await exit in processes.exits {
                perform(
                    machine.exited(
                        exit.worker, status: exit.status, isFinal: exit.isFinal, isSession: exit.isSession, now: now))
            }
        }
        try? await Task.sleep(for: .seconds(3600 * 24 * 365))
        return nil
    }

    // MARK: Actions

    private func perform(_ actions: [ClusterAction]) {
        followEpoch(actions)
        for action in actions { perform(action) }
        if case .ready = machine.readiness { wasReady = true }
        if !actions.isEmpty { tellWatchers() }
    }

    /// Before the actions, which may be the first steps of a new epoch.
    private func followEpoch(_ actions: [ClusterAction]) {
        for case .log(.error, let line, worker: nil) in actions { statistics.failed(line, now: now) }
        let running = machine.running
        guard running?.epoch != statistics.runningEpoch else { return }
        guard let running else { return statistics.ended() }
        statistics.began(running.epoch, running.plan)
        trace?.note(.plan(running.plan.stages.enumerated().map { "stage \($0): \($1.worker), \($1.units)" }))
    }

    private func perform(_ action: ClusterAction) {
        switch action {
        case .send(let order, let peer):
            send(order, to: peer)
        case .connect(let epoch, let endpoint, let key):
            connect(epoch, endpoint, key)
        case .measure(let order):
            post(.measure(order))
        case .admitResults(let keys):
            post(.admitResults(keys))
        case .admit(let keys, let ended):
            weights?.admit(keys)
            post(.admit(keys, endingThoseOf: ended))
        case .step(let step, let epoch):
            statistics.sent(step, epoch, now: now)
            if !embedding.post(step, epoch) {
                perform(machine.notSent(step: step.id, epoch: epoch, reason: "too many steps wait", now: now))
            }
        case .deliver(let event):
            deliver(event)
        case .restart(let worker, let wait):
            statistics.restarted(worker)
            processes?.start(worker, after: wait)
        case .kill(let worker):
            processes?.kill(worker)
        case .planned(let plan):
            self.plan = plan
            stop()
        case .cannotStart(let failure):
            startFailure = failure
            // Before that it ends the run, and whoever runs it tells why.
            if wasReady { logger.error("\(failure)") }
        case .log(let level, let line, let worker):
            logger.log(level: level, "\(line)", metadata: worker.map { ["worker": .string($0)] })
        case .stopped:
            break
        }
    }

    private func send(_ order: CoordinatorOrder, to peer: PeerID) {
        do {
            post(.order(try order.frame(run: machine.settings.run), to: peer))
        } catch {
            logger.error("an order was not sent: \(error)")
        }
    }

    private func connect(_ epoch: Epoch, _ text: String, _ key: CurvePublicKey?) {
        guard let endpoint = Endpoint(text) else {
            logger.error("\(text): expected an endpoint tcp://host:port")
            return
        }
        // A wildcard is this machine.
        post(.connect(epoch, endpoint.isWildcard ? .loopback(port: endpoint.port) : endpoint, key))
    }

    private func post(_ command: SocketThread.Command) {
        do { try sockets.post(command) } catch { logger.error("the sockets take no commands: \(error)") }
    }

    private func describe(_ refusal: AdmissionRefusal) -> String {
        let total = sockets.refusals?.total ?? 0
        guard let key = refusal.key else {
            return "\(refusal.address): not admitted: it has no key (\(total) refused so far)"
        }
        return
            "\(refusal.address): not admitted: key \(key) is not under security.workers; if it is a worker's, list it "
            + "there (\(total) refused so far)"
    }

    private func deliver(_ event: SequenceEvent) {
        if let request = statistics.delivered(event, now: now) { trace?.note(.request(request)) }
        switch event {
        case .begun(let id, let cachedTokens):
            streams[id]?.yield(.begun(cachedTokens: cachedTokens))
        case .token(let id, let token):
            streams[id]?.yield(.token(token))
        case .finished(let id, let reason, let timings):
            let stream = streams.removeValue(forKey: id)
            stream?.yield(.finished(reason, timings))
            stream?.finish()
            let cancelled = EngineError(.failed, "cancelled")
            chunks.removeValue(forKey: id)?.resume(returning: .failure(cancelled))
            embeddings.removeValue(forKey: id)?.resume(returning: .failure(cancelled))
        case .failed(let id, let error):
            streams.removeValue(forKey: id)?.finish(throwing: error)
            chunks.removeValue(forKey: id)?.resume(returning: .failure(error))
            embeddings.removeValue(forKey: id)?.resume(returning: .failure(error))
        case .logits(let id, let logits):
            chunks.removeValue(forKey: id)?.resume(returning: .success(logits))
        case .embedded(let id, let embedding):
            embeddings.removeValue(forKey: id)?.resume(returning: .success(embedding))
        }
    }

    /// Ends what runs here, once there is nothing more to decide.
    private func shutDown() async {
        let error = EngineError(.unavailable, "the coordinator has stopped")
        for stream in streams.values { stream.finish(throwing: error) }
        for chunk in chunks.values { chunk.resume(returning: .failure(error)) }
        for embedding in embeddings.values { embedding.resume(returning: .failure(error)) }
        streams.removeAll()
        chunks.removeAll()
        embeddings.removeAll()
        for watcher in watchers.values { watcher.finish() }
        watchers.removeAll()
        await processes?.stopAll()
        let (embedding, sockets, trace) = (embedding, sockets, trace)
        // Joining waits for messages to leave: not here, on a thread of its own.
        await withCheckedContinuation { continuation in
            _ = OwnedThread(name: "stop") {
                embedding.stopAndJoin()
                sockets.stopAndJoin()
                trace?.stopAndJoin()
                continuation.resume()
            }
        }
    }

    // MARK: Requests

    func start(_ request: TokenRequest, _ continuation: TokenStream.Continuation) throws(EngineError) -> SequenceID {
        let (id, actions) = try counted(request.prompt.count) { () throws(EngineError) in
            try machine.submit(request, now: now)
        }
        streams[id] = continuation
        perform(actions)
        return id
    }

    private func counted(
        _ promptTokens: Int, _ submit: () throws(EngineError) -> (SequenceID, [ClusterAction])
    ) throws(EngineError) -> (SequenceID, [ClusterAction]) {
        do {
            let (id, actions) = try submit()
            statistics.requests.submitted(id, promptTokens: promptTokens, now: now)
            return (id, actions)
        } catch {
            statistics.requests.rejected(error.code)
            throw error
        }
    }

    func cancel(_ id: SequenceID) { perform(machine.cancel(id, now: now)) }

    func openDiagnostic() throws(EngineError) -> SequenceID { try machine.openDiagnostic(now: now) }

    /// Logits `[chunk, vocabularySize]` of the next tokens of a diagnostic.
    func logits(_ chunk: [TokenID], of id: SequenceID) async throws(EngineError) -> [Float] {
        let actions = try machine.append(chunk, to: id, now: now)
        let result = await withCheckedContinuation { continuation in
            chunks[id] = continuation
            perform(actions)
        }
        return try result.get()
    }

    func embedding(of request: EmbeddingRequest) async throws(EngineError) -> Embedding {
        let (id, actions) = try counted(request.tokens.count) { () throws(EngineError) in
            try machine.submit(request, now: now)
        }
        let result: Result<Embedding, EngineError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                embeddings[id] = continuation
                perform(actions)
            }
        } onCancel: {
            Task { await self.cancel(id) }
        }
        return try result.get()
    }

    /// How the cluster stands, with what was counted since its start.
    package var snapshot: EngineSnapshot { machine.snapshot(statistics, now: now) }

    /// Peers that were not let in so far; nil where connections are in clear.
    package nonisolated var refusals: RefusalCounts? { sockets.refusals }

    /// Who may join under which name, from now on; see ``ClusterMachine/rekey(_:now:)``.
    package func rekey(_ keys: [String: CurvePublicKey]) { perform(machine.rekey(keys, now: now)) }

    // MARK: Watching

    /// A value whenever something may have changed, the newest alone kept; ends with the service.
    package func watch() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = watcherCount
        watcherCount += 1
        watchers[id] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.forget(watcher: id) } }
        continuation.yield()
        return stream
    }

    private func forget(watcher id: Int) { watchers[id] = nil }

    private func tellWatchers() {
        for watcher in watchers.values { watcher.yield() }
    }

    /// What was planned, where only that was asked for.
    package var plannedPlan: Plan? { plan }
}
