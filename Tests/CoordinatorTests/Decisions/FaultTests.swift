import Sharding
import Testing

@testable import Coordinator

@Suite("Faults")
struct FaultTests {
    @Test("a worker that falls silent ends requests with an error that names it; its return makes the next succeed")
    func silence() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        let id = try cluster.submit([1, 2], maxTokens: 40)
        cluster.die("b")
        cluster.advance(.seconds(3))
        #expect(cluster.error(of: id)?.code == .failed)
        #expect(cluster.error(of: id)?.message.contains("worker b was lost: no heartbeat for 2.") == true)
        let error = #expect(throws: EngineError.self) { _ = try cluster.submit([1]) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("waiting for worker b (no heartbeat") == true)
        cluster.join("b")
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.machine.status.epoch == Epoch(2))
        let next = try cluster.submit([1, 2], maxTokens: 2)
        cluster.drain()
        #expect(cluster.finish(of: next) == .length)
    }

    @Test("a worker that keeps its layers loads before it drops, one that gets others drops before it loads")
    func orderOfLoads() throws {
        func orders(after change: (inout SimulatedCluster) -> Void) -> [String] {
            var cluster = SimulatedCluster()
            cluster.start()
            cluster.die("b")
            cluster.advance(.seconds(3))
            cluster.holdsOrders = true
            change(&cluster)
            cluster.join("b")
            let peer = cluster.processes["a"]!.peer
            return cluster.heldOrders.filter { $0.1 == peer }.compactMap { order, _ in
                switch order {
                case .load: "load"
                case .drain: "drain"
                default: nil
                }
            }
        }
        #expect(orders { _ in } == ["load", "drain"])
        // Half as fast as it was, it gets fewer layers than before.
        #expect(orders { $0.machine.slowDown("a", by: 2) } == ["drain", "load"])
    }

    @Test("a process that is seen to end is lost at once, and started again after a wait that grows")
    func exits() {
        var cluster = SimulatedCluster(isLaunched: true)
        cluster.start()
        var waits: [Duration] = []
        for _ in 0..<4 {
            cluster.die("a")
            let actions = cluster.machine.exited("a", status: "signal 9", now: cluster.now)
            cluster.perform(actions)
            waits.append(cluster.restarts.last!.at - cluster.now)
        }
        #expect(waits == [.milliseconds(250), .milliseconds(500), .seconds(1), .seconds(2)])
        #expect(cluster.failures.isEmpty)
        let actions = cluster.machine.exited("a", status: "exit status 1", now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.failures.first?.description.contains("worker a ended 5 times") == true)
    }

    @Test("a process that refuses its configuration ends the launch at once")
    func finalExit() {
        var cluster = SimulatedCluster(isLaunched: true)
        let actions = cluster.machine.exited("a", status: "exit status 2", isFinal: true, now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.failures.count == 1)
        #expect(cluster.failures.first.map { CoordinatorError($0).code } == .configuration)
        #expect(cluster.failures.first?.description.contains("worker a cannot start: exit status 2") == true)
    }

    @Test("a worker that comes back is given up no sooner for its earlier ends")
    func startsForgotten() {
        var cluster = SimulatedCluster(isLaunched: true)
        cluster.start()
        for _ in 0..<10 {
            cluster.die("a")
            let actions = cluster.machine.exited("a", status: "signal 9", now: cluster.now)
            cluster.perform(actions)
            cluster.advance(.seconds(1))
            cluster.join("a")
            cluster.advance(.seconds(20))
            #expect(cluster.machine.readiness == .ready)
        }
        #expect(cluster.failures.isEmpty)
    }

    @Test("results of an older epoch, another run, a later step, or twice are never accepted")
    func stale() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        let id = try cluster.submit([1, 2], maxTokens: 4)
        let (step, epoch) = cluster.pipeline[0]
        let result = StepResult(
            step: step.id,
            sequences: [
                SequenceResult(
                    sequence: id, position: 2, outcome: .tokens([AcceptedToken(token: 7, logprob: 0)]))
            ])
        cluster.receive(result, epoch: Epoch(0))
        cluster.receive(result, epoch: epoch, run: RunID(high: 5, low: 5))
        #expect(cluster.tokens(of: id).isEmpty)
        cluster.receive(result, epoch: epoch)
        cluster.receive(result, epoch: epoch)
        #expect(cluster.tokens(of: id) == [7])
    }

    @Test("a step that was lost, a missing token and a token out of range end the epoch, not the coordinator")
    func brokenPipeline() throws {
        let changes: [(inout StepResult) -> Void] = [
            { $0.step += 1 }, { $0.sequences = [] }, { $0.logits = [1] },
            { $0.sequences[0].outcome = .tokens([AcceptedToken(token: 100, logprob: 0)]) },
            { $0.sequences[0].outcome = .tokens([AcceptedToken(token: -1, logprob: 0)]) },
            { $0.sequences[0].position = 9 }, { $0.sequences[0].outcome = .tokens([]) },
        ]
        for change in changes {
            var cluster = SimulatedCluster()
            cluster.start()
            let id = try cluster.submit([1, 2], maxTokens: 4)
            cluster.completeStep(change)
            #expect(cluster.error(of: id)?.code == .failed)
            #expect(cluster.tokens(of: id).isEmpty)
            cluster.advance(.seconds(1))
            #expect(cluster.machine.readiness == .ready)
            #expect(cluster.machine.status.epoch == Epoch(2))
        }
    }

    @Test("a step that does not move within its deadline counts as the death of who is behind")
    func stuckStep() throws {
        var cluster = SimulatedCluster(isLaunched: true)
        cluster.start()
        let id = try cluster.submit([1, 2], maxTokens: 4)
        cluster.processes["a"]?.stepsCompleted = 1
        cluster.advance(.seconds(29))
        #expect(cluster.error(of: id) == nil)
        cluster.advance(.seconds(3))
        #expect(cluster.killed == ["b"])
        let message = try #require(cluster.error(of: id)?.message)
        #expect(message.contains("worker b was lost: step ") && message.contains("did not move"))
    }

    @Test("a step that moves slowly is not given up")
    func slowStep() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        let id = try cluster.submit([1, 2], maxTokens: 1)
        for _ in 0..<10 {
            cluster.advance(.seconds(20))
            cluster.processes["a"]?.stepsCompleted += 1
        }
        cluster.drain()
        #expect(cluster.finish(of: id) == .length)
    }

    @Test("a coordinator that was held up does not take its workers for dead")
    func ownPause() {
        var cluster = SimulatedCluster()
        cluster.start()
        cluster.advance(.seconds(1))
        cluster.now += .seconds(60)
        let actions = cluster.machine.tick(now: cluster.now)
        cluster.perform(actions)
        cluster.advance(.seconds(1))
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.machine.status.epoch == Epoch(1))
    }

    @Test("a step that a stage cannot take, or the first does not, ends requests with the reason")
    func stepFailures() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        var id = try cluster.submit([1], maxTokens: 4)
        cluster.report(
            .stepFailed(StepFailure(epoch: Epoch(1), step: 1, stage: 1, message: "checksum")), of: "b")
        #expect(cluster.error(of: id)?.message.contains("worker b: stage 1: step 1: checksum") == true)
        cluster.advance(.seconds(1))
        id = try cluster.submit([1], maxTokens: 4)
        let actions = cluster.machine.notSent(step: 1, epoch: Epoch(2), reason: "full", now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.error(of: id)?.message.contains("could not be sent to worker a: full") == true)
    }

    @Test("epochs that fail again and again are tried at longer and longer intervals")
    func backOff() {
        var cluster = SimulatedCluster()
        cluster.start()
        var epochs: [UInt64] = []
        for _ in 0..<8 {
            let epoch = cluster.machine.status.epoch ?? Epoch(0)
            cluster.report(.stepFailed(StepFailure(epoch: epoch, step: 1, stage: 0, message: "x")), of: "a")
            cluster.advance(.seconds(12))
            epochs.append(cluster.machine.status.epoch?.rawValue ?? 0)
        }
        #expect(epochs == Array(2...9))
        #expect(cluster.machine.failures == 8)
    }

    @Test("a worker never holds more than two epochs")
    func heldEpochs() {
        var cluster = SimulatedCluster()
        cluster.start()
        for _ in 0..<5 {
            let epoch = cluster.machine.status.epoch ?? Epoch(0)
            cluster.report(.stepFailed(StepFailure(epoch: epoch, step: 1, stage: 0, message: "x")), of: "a")
            cluster.advance(.seconds(12))
            for process in cluster.processes.values { #expect(process.held.count <= 2) }
        }
        #expect(cluster.processes.values.allSatisfy { $0.held == [Epoch(6)] })
    }

    @Test("a shard with the wrong hash ends the attempt with the worker and the file named")
    func wrongHash() {
        var cluster = SimulatedCluster()
        cluster.holdsOrders = true
        cluster.start()
        cluster.report(
            .loadFailed(
                LoadFailure(
                    epoch: Epoch(1), reason: .hashMismatch, message: "shard_001.gguf: sha256: expected x, got y")
            ), of: "b")
        #expect(cluster.failures.map(\.description) == ["worker b: shard_001.gguf: sha256: expected x, got y"])
        #expect(cluster.machine.readiness == .notReady("worker b: shard_001.gguf: sha256: expected x, got y"))
    }

    @Test("a load that fails for want of memory is tried again, a bounded number of times")
    func loadRetries() {
        var cluster = SimulatedCluster()
        cluster.holdsOrders = true
        cluster.start()
        for attempt in 1...3 {
            #expect(cluster.failures.isEmpty)
            cluster.report(
                .loadFailed(LoadFailure(epoch: Epoch(UInt64(attempt)), reason: .outOfMemory, message: "no memory")),
                of: "b")
            cluster.advance(.seconds(1))
        }
        #expect(cluster.failures.count == 1)
    }

    @Test("a load that does not move is given up, with the worker named")
    func stalledLoad() {
        var cluster = SimulatedCluster()
        cluster.holdsOrders = true
        cluster.start()
        cluster.report(.loaded(Loaded(epoch: Epoch(1), weightBytes: 1, cacheBytes: 1)), of: "a")
        cluster.advance(.seconds(62))
        #expect(cluster.machine.registry.missing == ["b"])
    }

    @Test("a model that does not fit ends the launch with the arithmetic")
    func doesNotFit() {
        var cluster = SimulatedCluster { settings in
            for index in settings.workers.indices { settings.workers[index].memoryBytes = 1 << 20 }
        }
        cluster.start()
        guard case .placement(let error) = cluster.failures.first else {
            Issue.record("expected a placement error")
            return
        }
        #expect(error.message.contains("does not fit: needs"))
    }

    @Test("stopping lets answers end, refuses new ones, and tells every worker")
    func stopping() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        let id = try cluster.submit([1], maxTokens: 3)
        var actions = cluster.machine.stop(now: cluster.now)
        cluster.perform(actions)
        #expect(!cluster.hasStopped)
        let error = #expect(throws: EngineError.self) { _ = try cluster.submit([1]) }
        #expect(error?.code == .unavailable)
        cluster.drain()
        #expect(cluster.finish(of: id) == .length)
        actions = cluster.machine.tick(now: cluster.now)
        #expect(!actions.contains(.stopped), "it waits for good-byes")
        #expect(actions.filter { if case .send(.stop, _) = $0 { true } else { false } }.count == 2)
        // A step that frees sequences may still be on its way to a worker that leaves.
        let epoch = try #require(cluster.connection?.epoch)
        #expect(cluster.machine.notSent(step: 9, epoch: epoch, reason: "nobody is connected", now: cluster.now) == [])
        cluster.perform(actions)
        cluster.advance(.milliseconds(50))
        #expect(cluster.hasStopped)
    }

    @Test("a worker that does not say good-bye keeps a stop for two seconds")
    func stoppingWithoutGoodbye() {
        var cluster = SimulatedCluster()
        cluster.start()
        cluster.holdsOrders = true
        let actions = cluster.machine.stop(now: cluster.now)
        cluster.perform(actions)
        cluster.advance(.seconds(1))
        #expect(!cluster.hasStopped)
        cluster.advance(.seconds(2))
        #expect(cluster.hasStopped)
    }

    @Test("stopping does not wait for answers beyond its deadline")
    func stoppingDeadline() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        let id = try cluster.submit([1], maxTokens: 3)
        let actions = cluster.machine.stop(now: cluster.now)
        cluster.perform(actions)
        cluster.advance(.seconds(11))
        #expect(cluster.hasStopped)
        #expect(cluster.error(of: id)?.code == .unavailable)
    }
}
