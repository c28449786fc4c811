import Sharding
import Testing
import ZeroMQ

@testable import Coordinator

@Suite("Links between workers")
struct LinkTests {
    /// Workers of other machines.
    private func remote(
        _ names: [String] = ["a", "b"], change: @escaping (inout ClusterSettings) -> Void = { _ in }
    ) throws -> SimulatedCluster {
        let own = try CurveKeyPair.generate().publicKey
        var cluster = SimulatedCluster(names) { settings in
            settings.coordinatorKey = own
            settings.placementModel.rowBytes = 16384
            for index in settings.placementModel.layers.indices {
                settings.placementModel.layers[index].weightBytes = 1 << 28
            }
            change(&settings)
        }
        for (index, name) in names.enumerated() { cluster.endpoints[name] = "tcp://10.0.0.\(index + 1):5000" }
        return cluster
    }

    private func milliseconds(_ milliseconds: Int, megabytes: Double = 100) -> LinkTable.Finding {
        .measured(LinkEstimate(roundTrip: .milliseconds(milliseconds), bytesPerSecond: megabytes * 1e6))
    }

    @Test("workers of other machines measure the ways that a plan may need, before it is made")
    func measuredFirst() throws {
        var cluster = try remote(["a", "b", "c"])
        cluster.start()
        #expect(cluster.machine.readiness == .ready)
        let asked = cluster.linkOrders.filter { !$0.order.targets.isEmpty }
        let ways = asked.map { "\($0.end)>\($0.order.targets.map(\.name).joined(separator: ","))" }
        #expect(ways.sorted() == [">a,b,c", "a>b,c,", "b>c,", "c>"])
        let plan = try #require(cluster.machine.status.plan)
        #expect(!plan.hops.contains { !$0.isMeasured })
        #expect(plan.hops.map(\.from) == ["", "a", "b", "c"])
    }

    @Test("on one machine nothing is measured before the plan")
    func oneMachine() {
        var cluster = SimulatedCluster()
        cluster.start()
        #expect(cluster.linkOrders.isEmpty)
    }

    @Test("with keys all admit each other before anybody connects")
    func admitted() throws {
        let keys = try (0..<3).map { _ in try CurveKeyPair.generate().publicKey }
        var machine = ClusterMachine(
            settings: try {
                var settings = try remote().machine.settings
                settings.coordinatorKey = keys[2]
                settings.workers[0].key = keys[0]
                settings.workers[1].key = keys[1]
                return settings
            }())
        let peers = [PeerID([1], key: keys[0]), PeerID([2], key: keys[1])]
        var sent: [ClusterAction] = []
        for (index, name) in ["a", "b"].enumerated() {
            let hello = WorkerHello(
                name: name, instance: 1, processID: 1, dataEndpoint: "tcp://10.0.0.\(index + 1):1", device: "cpu",
                threadCount: 1, memoryTotalBytes: 1 << 34, memoryAvailableBytes: 1 << 33, bytesPerSecond: 1e10)
            sent = machine.receive(.hello(hello), from: peers[index], run: machine.settings.run, now: .zero)
        }
        #expect(sent.contains(.admitResults([keys[0], keys[1]])))
        let first = orders(sent)
        #expect(first.count == 2)
        #expect(first.allSatisfy { $0.targets.isEmpty && Set($0.admittedKeys) == Set(keys) })
        var next: [ClusterAction] = []
        for (peer, name) in zip(peers, ["a", "b"]) {
            #expect(!next.contains { if case .measure = $0 { true } else { false } }, "\(name)")
            next = machine.receive(
                .linksMeasured(LinkFindings(number: first[0].number)), from: peer, run: machine.settings.run,
                now: .zero)
        }
        #expect(next.contains { if case .measure = $0 { true } else { false } })
        #expect(orders(next).map { $0.targets.map(\.name) } == [["b", ""], [""]])
        #expect(orders(next).allSatisfy { $0.targets.allSatisfy { $0.key != nil } })
    }

    private func orders(_ actions: [ClusterAction]) -> [LinkOrder] {
        actions.compactMap { if case .send(.measureLinks(let order), _) = $0 { order } else { nil } }
    }

    @Test("a worker behind a long way is left out where it would slow generation down")
    func longWay() throws {
        var cluster = try remote { $0.objective = .decode }
        for end in ["", "a"] { cluster.links[end, "b"] = milliseconds(200) }
        cluster.links["b", ""] = milliseconds(200)
        cluster.start()
        let plan = try #require(cluster.machine.status.plan)
        #expect(plan.stages.map(\.worker) == ["a"])
    }

    @Test("layers are dealt only to workers that reach each other")
    func obstacle() throws {
        var cluster = try remote(["a", "b", "c"])
        cluster.links["a", "b"] = .unreachable("tcp://10.0.0.2:5000: no answer")
        cluster.start()
        let plan = try #require(cluster.machine.status.plan)
        #expect(plan.stages.map(\.worker) == ["a", "c"] || plan.stages.map(\.worker) == ["b", "c"])
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("a plan that needs a way that is not there fails with both ends and the address, after some tries")
    func neededObstacle() throws {
        var cluster = try remote { settings in
            settings.policy = .roundRobin
        }
        cluster.links["a", "b"] = .unreachable("tcp://10.0.0.2:5000: no answer within 5 s")
        cluster.start()
        cluster.advance(.seconds(3))
        let failure = try #require(cluster.failures.first)
        #expect(
            failure.description.hasPrefix(
                "placement: worker a cannot reach worker b: tcp://10.0.0.2:5000: no answer within 5 s; open"))
        let tries = cluster.linkOrders.count { $0.end == "a" && $0.order.targets.contains { $0.name == "b" } }
        #expect(tries == cluster.machine.settings.retries.loadsMax)
    }

    @Test("who does not answer in time is planned for without")
    func silent() throws {
        var cluster = try remote()
        cluster.isSilentOnLinks = true
        cluster.start()
        #expect(cluster.machine.status.plan == nil)
        cluster.advance(.seconds(11))
        #expect(cluster.machine.readiness == .ready)
        let hops = try #require(cluster.machine.status.plan?.hops)
        #expect(hops.map(\.isMeasured) == [true, false, false])
        #expect(hops[1].estimate == .assumedRemote)
    }

    @Test("a worker whose connection broke while links are measured gets its order again")
    func askedAgain() throws {
        var cluster = try remote()
        cluster.isSilentOnLinks = true
        cluster.start()
        let before = cluster.linkOrders.count { $0.end == "a" }
        cluster.report(.hello(cluster.hello("a")), of: "a")
        let orders = cluster.linkOrders.filter { $0.end == "a" }
        #expect(orders.count == before + 1)
        #expect(orders.last?.order == orders.dropLast().last?.order)
    }

    @Test("a worker that is lost while links are measured is waited for")
    func lostMeanwhile() throws {
        var cluster = try remote()
        cluster.isSilentOnLinks = true
        cluster.start()
        cluster.report(.leaving("by itself"), of: "b")
        cluster.isSilentOnLinks = false
        cluster.join("b")
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("a restarted worker takes its links along, one that moved does not")
    func restarted() throws {
        var cluster = try remote()
        cluster.start()
        cluster.linkOrders = []
        cluster.report(.leaving("by itself"), of: "b")
        cluster.advance(.seconds(1))
        cluster.join("b")
        cluster.advance(.seconds(1))
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.linkOrders.isEmpty)
        cluster.report(.leaving("by itself"), of: "b")
        cluster.endpoints["b"] = "tcp://10.0.0.9:5000"
        cluster.advance(.seconds(1))
        cluster.join("b")
        cluster.advance(.seconds(1))
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.linkOrders.map(\.end).sorted() == ["", "a", "b"])
    }

    @Test("what the traffic shows replaces what was measured before, and only that of the plan's own links counts")
    func refreshed() throws {
        var cluster = try remote()
        cluster.start()
        let epoch = try #require(cluster.machine.status.epoch)
        let slow = LinkEstimate(roundTrip: .milliseconds(40), bytesPerSecond: 1e6)
        cluster.report(.linkMeasured(MeasuredLink(epoch: epoch, stage: 0, estimate: slow)), of: "a")
        cluster.report(.linkMeasured(MeasuredLink(epoch: epoch, stage: 0, estimate: .assumedLocal)), of: "b")
        cluster.report(.linkMeasured(MeasuredLink(epoch: epoch, stage: 7, estimate: .assumedLocal)), of: "a")
        let hops = try #require(cluster.machine.status.plan?.hops)
        #expect(hops[1].estimate == slow)
        #expect(hops[2].estimate != slow)
        // Who watches is told of what changed much, once.
        #expect(cluster.logs.count { $0.hasPrefix("link a > b: now 40 ms, 1.0 MB/s, was 0.10 ms") } == 1)
    }

    @Test("a prompt's chunks take no link longer than a second")
    func chunks() throws {
        var cluster = try remote { $0.policy = .roundRobin }
        cluster.links["a", "b"] = milliseconds(100, megabytes: 0.05)
        cluster.start()
        _ = try cluster.submit(Array(0..<20), maxTokens: 2)
        // 50 kB/s carry three rows of 16 KiB a second.
        #expect(cluster.pipeline.first?.step.rows.count == 3)
        cluster.drain()
        let epoch = try #require(cluster.machine.status.epoch)
        let fast = LinkEstimate(roundTrip: .milliseconds(1), bytesPerSecond: 1e8)
        cluster.report(.linkMeasured(MeasuredLink(epoch: epoch, stage: 0, estimate: fast)), of: "a")
        _ = try cluster.submit((0..<20).reversed(), maxTokens: 2)
        #expect(cluster.pipeline.first?.step.rows.count == 8)
    }

    @Test("a step over a slow link is given three times what is predicted, and ten seconds")
    func deadline() throws {
        var cluster = try remote { $0.policy = .roundRobin }
        // 8 rows of 16 KiB take 26 s.
        cluster.links["a", "b"] = milliseconds(100, megabytes: 0.005)
        cluster.start()
        var plan = try #require(cluster.machine.status.plan)
        let limit = cluster.machine.stepDeadline(rows: 8, plan)
        #expect(limit > .seconds(10 + 3 * 26) && limit < .seconds(10 + 3 * 27 + 1))
        _ = try cluster.submit([1], maxTokens: 2)
        cluster.advance(.seconds(19))
        #expect(cluster.machine.readiness == .ready)
        plan.hops[1].estimate = .assumedLocal
        #expect(cluster.machine.stepDeadline(rows: 1, plan) == .seconds(30))
    }

    @Test("a configured deadline below ten seconds is kept where links are fast")
    func shortDeadline() throws {
        var cluster = try remote { $0.deadlines.step = .seconds(3) }
        cluster.start()
        let plan = try #require(cluster.machine.status.plan)
        let limit = cluster.machine.stepDeadline(rows: 1, plan)
        #expect(limit >= .seconds(3) && limit < .seconds(4))
    }
}
