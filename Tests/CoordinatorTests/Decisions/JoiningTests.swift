import Sharding
import Testing

@testable import Coordinator

@Suite("Joining")
struct JoiningTests {
    private func lastRefusal(of cluster: SimulatedCluster) -> HelloRefusal? {
        if case .refused(let refusal) = cluster.replies.last { refusal } else { nil }
    }

    @Test("a cluster is ready when all workers have joined, loaded and activated, in any order")
    func ready() {
        var cluster = SimulatedCluster(["a", "b", "c"])
        cluster.join("c")
        cluster.join("a")
        #expect(cluster.machine.readiness == .notReady("waiting for worker b"))
        cluster.join("b")
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.processes.values.allSatisfy { $0.activeEpoch == Epoch(1) })
    }

    @Test("workers of one machine that did not choose their threads are told how many of its cores are theirs")
    func sharedCores() {
        var cluster = SimulatedCluster(["a", "b"])
        cluster.cores = [0, 1, 2]
        cluster.start()
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.machine.status.workers.map(\.threadCount) == [2, 1])
        let orders = cluster.machine.currentPlan?.orders
        #expect(orders?["a"]?.threadCount == 2)
        #expect(orders?["b"]?.threadCount == 1)
    }

    @Test("a worker with a limit of its own leaves the others of its machine what it does not take")
    func sharedMemory() throws {
        var cluster = SimulatedCluster(["a", "b"]) { $0.workers[0].memoryBytes = 1 << 30 }
        cluster.start()
        let shares = try #require(cluster.machine.currentPlan?.plan.shares)
        let limits = Dictionary(uniqueKeysWithValues: shares.map { ($0.worker, $0.limitBytes) })
        #expect(limits["a"] == 1 << 30)
        #expect((limits["b"] ?? 0) > 4 << 30)
    }

    @Test("a worker that reads weights from disk is told so, others are not")
    func streaming() {
        var cluster = SimulatedCluster(["a", "b"]) { settings in
            settings.policy = .roundRobin
            settings.workers[0].mode = .memoryEfficient
        }
        cluster.start()
        #expect(cluster.machine.currentPlan?.orders["a"]?.limits.residency == .memoryEfficient)
        #expect(cluster.machine.currentPlan?.orders["b"]?.limits.residency == .simple)
    }

    @Test("another protocol is refused with both versions named")
    func version() throws {
        var cluster = SimulatedCluster()
        cluster.processes["a"] = .init(instance: 9, peer: PeerID([1]))
        let hello = cluster.hello("a", version: ProtocolVersion(number: 7, program: "9.9.9"))
        cluster.report(.hello(hello), of: "a")
        let refusal = try #require(lastRefusal(of: cluster))
        #expect(refusal.reason == .versionMismatch)
        #expect(refusal.version == .current)
        #expect(refusal.message.contains("protocol 7 (program 9.9.9)"))
        #expect(refusal.message.contains("\(ProtocolVersion.current)"))
    }

    @Test("a launched worker of another version ends the launch when its process ends; a stranger of its name does not")
    func launchedVersion() throws {
        var cluster = SimulatedCluster(isLaunched: true)
        cluster.processes["a"] = .init(instance: 9, peer: PeerID([1]))
        let hello = cluster.hello("a", version: ProtocolVersion(number: 7, program: "9.9.9"))
        cluster.report(.hello(hello), of: "a")
        #expect(cluster.failures.isEmpty)
        let actions = cluster.machine.exited("a", status: "exit status 2", isFinal: true, now: cluster.now)
        cluster.perform(actions)
        let failure = try #require(cluster.failures.first)
        #expect(failure.description.contains("protocol 7 (program 9.9.9)"))
        #expect(CoordinatorError(failure).code == .configuration)
    }

    @Test("a launched process that says no hello in time is ended, once, and counts as a failed start")
    func speechless() {
        var cluster = SimulatedCluster(isLaunched: true)
        cluster.join("b")
        cluster.advance(.seconds(29))
        #expect(cluster.killed.isEmpty)
        cluster.advance(.seconds(10))
        #expect(cluster.killed == ["a"])
        let actions = cluster.machine.exited("a", status: "signal 9", now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.restarts.map(\.worker) == ["a"])
        cluster.advance(.seconds(40))
        #expect(cluster.killed == ["a", "a"])
    }

    @Test("a name that the configuration does not list is refused, with those it lists")
    func unknownName() throws {
        var cluster = SimulatedCluster()
        cluster.join("zed")
        let refusal = try #require(lastRefusal(of: cluster))
        #expect(refusal.reason == .unknownName)
        #expect(refusal.message.contains("expected one of a, b"))
    }

    @Test("strangers, however many names they have, leave nothing behind but a line a second")
    func manyNames() {
        var cluster = SimulatedCluster()
        var lines = 0
        for number in 0..<100 {
            let hello = cluster.hello("stranger-\(number)")
            let actions = cluster.machine.receive(
                .hello(hello), from: PeerID([9]), run: cluster.machine.settings.run, now: cluster.now)
            for case .log in actions { lines += 1 }
        }
        #expect(lines == 1)
        #expect(cluster.machine.registry.absences.isEmpty)
    }

    @Test(
        "a data endpoint beyond loopback, or none at all, is refused",
        arguments: ["tcp://10.0.0.1:5", "tcp://127.0.0.1:0", "ipc:///tmp/x", "tcp://127.0.0.1.evil:4", ""])
    func endpoint(text: String) throws {
        var cluster = SimulatedCluster()
        cluster.processes["a"] = .init(instance: 9, peer: PeerID([1]))
        let hello = cluster.hello("a", endpoint: text)
        cluster.report(.hello(hello), of: "a")
        #expect(lastRefusal(of: cluster)?.reason == .invalid)
    }

    @Test("a second process of a name is refused while the first lives, and taken once its lease has lapsed")
    func nameTaken() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        let first = try #require(cluster.processes["a"])
        cluster.join("a")
        #expect(lastRefusal(of: cluster)?.reason == .nameTaken)
        #expect(cluster.machine.readiness == .ready)
        // The first falls silent: nobody answers for it any more.
        #expect(cluster.processes["a"]?.instance != first.instance)
        cluster.processes["a"]?.isAlive = false
        cluster.advance(.seconds(3))
        #expect(cluster.machine.readiness != .ready)
        cluster.join("a")
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("the same process over a new connection keeps its place")
    func reconnect() throws {
        var cluster = SimulatedCluster()
        cluster.start()
        cluster.processes["a"]?.peer = PeerID([42])
        // Its next heartbeat comes from a connection that nobody knows: it is asked who it is.
        cluster.advance(.milliseconds(100))
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.processes["a"]?.activeEpoch == Epoch(1))
        cluster.advance(.seconds(5))
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("an order to load that was lost with a connection is sent again")
    func lostLoad() {
        var cluster = SimulatedCluster()
        cluster.holdsOrders = true
        cluster.join("a")
        cluster.join("b")
        cluster.heldOrders.removeAll()
        cluster.holdsOrders = false
        for name in ["a", "b"] {
            cluster.processes[name]?.peer = PeerID(Array("again-\(name)".utf8))
            let hello = cluster.hello(name)
            cluster.report(.hello(hello), of: name)
        }
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("epochs start above the highest that any worker reports")
    func highestEpoch() {
        var cluster = SimulatedCluster()
        cluster.join("a", highestEpoch: Epoch(41))
        cluster.join("b", highestEpoch: Epoch(7))
        #expect(cluster.machine.status.epoch == Epoch(42))
    }

    @Test("a worker that reports the last possible epoch does not make numbers wrap")
    func lastEpoch() {
        var cluster = SimulatedCluster()
        cluster.join("a", highestEpoch: Epoch(.max))
        cluster.join("b")
        #expect(cluster.failures.count == 1)
        #expect(cluster.machine.readiness != .ready)
    }

    @Test("reports of strangers and of another run are answered with a question and change nothing")
    func strangers() {
        var cluster = SimulatedCluster()
        cluster.start()
        let before = cluster.machine.status
        let run = cluster.machine.settings.run
        for report in [WorkerReport.leaving("x"), .drained(Epoch(1)), .activated(Epoch(1))] {
            let stranger = PeerID([9, 9])
            let actions = cluster.machine.receive(report, from: stranger, run: run, now: .zero)
            #expect(actions == [.send(.identify, to: stranger)])
        }
        let peer = cluster.processes["a"]!.peer
        let actions = cluster.machine.receive(
            .leaving("x"), from: peer, run: RunID(high: 9, low: 9), now: .zero)
        #expect(actions == [.send(.identify, to: peer)])
        #expect(cluster.machine.status == before)
    }

    @Test("a plan that is only asked for loads nothing")
    func dryRun() {
        var cluster = SimulatedCluster { $0.plansOnly = true }
        cluster.start()
        #expect(cluster.plans.count == 1)
        #expect(cluster.processes.values.allSatisfy { $0.held.isEmpty })
    }
}
