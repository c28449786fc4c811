import Sharding
import Testing

@testable import Coordinator

@Suite("Workers of other machines")
struct RemoteTests {
    private func sshCluster() -> SimulatedCluster {
        SimulatedCluster { settings in
            for index in settings.workers.indices { settings.workers[index].start = .ssh }
        }
    }

    @Test("an ssh session that is lost is no worker that is lost")
    func lostSession() throws {
        var cluster = sshCluster()
        cluster.start()
        let id = try cluster.submit([1, 2], maxTokens: 3)
        let actions = cluster.machine.exited("a", status: "exit status 255", isSession: true, now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.restarts.isEmpty)
        cluster.drain()
        #expect(cluster.finish(of: id) == .length)
    }

    @Test("a worker that dies after its ssh session is started by a new one, once")
    func restarted() {
        var cluster = sshCluster()
        cluster.start()
        cluster.advance(.milliseconds(100))
        let actions = cluster.machine.exited("a", status: "exit status 255", isSession: true, now: cluster.now)
        cluster.perform(actions)
        cluster.die("a")
        cluster.advance(.seconds(4))
        #expect(cluster.restarts.map(\.worker) == ["a"])
        cluster.join("a")
        cluster.advance(.seconds(1))
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("a worker that dies with its ssh session is started again as any other")
    func both() {
        var cluster = sshCluster()
        cluster.start()
        cluster.die("a")
        cluster.advance(.seconds(3))
        #expect(cluster.restarts.isEmpty)
        let actions = cluster.machine.exited("a", status: "exit status 255", isSession: true, now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.restarts.map(\.worker) == ["a"])
    }

    /// All stages load, then worker a tells that it does not reach the next one.
    private func failLink(_ cluster: inout SimulatedCluster) throws {
        cluster.holdsOrders = false
        let loads = cluster.heldOrders.filter { if case .load = $0.0 { true } else { false } }
        cluster.heldOrders.removeAll()
        cluster.holdsOrders = true
        for (order, peer) in loads {
            guard case .load(let load) = order,
                let name = cluster.processes.first(where: { $0.value.peer == peer })?.key
            else { continue }
            cluster.report(.loaded(Loaded(epoch: load.epoch, weightBytes: 1, cacheBytes: 1)), of: name)
        }
        let epoch = try #require(cluster.machine.status.epoch)
        cluster.report(
            .linkFailed(
                LinkFailure(epoch: epoch, stage: 0, endpoint: "tcp://10.0.0.2:77", message: "no answer within 5 s")),
            of: "a")
    }

    @Test(
        "a stage that cannot reach the next one is an error with both ends and the address, given up after some tries")
    func unreachable() throws {
        var cluster = SimulatedCluster { $0.policy = .roundRobin }
        cluster.holdsOrders = true
        cluster.join("a")
        cluster.join("b")
        try failLink(&cluster)
        #expect(cluster.failures.isEmpty)
        // The next plan needs the way too, and says so; the one after that tries it again.
        cluster.advance(.seconds(3))
        try failLink(&cluster)
        let failure = try #require(cluster.failures.first)
        #expect(cluster.failures.count == 1)
        #expect(
            failure.description.hasPrefix(
                "worker a cannot reach worker b: tcp://10.0.0.2:77: no answer within 5 s; open that port"))
    }

    @Test("where a stage does not reach the next one, the next plan does without that way")
    func avoided() throws {
        var cluster = SimulatedCluster()
        cluster.holdsOrders = true
        cluster.join("a")
        cluster.join("b")
        #expect(cluster.machine.status.plan?.stages.count == 2)
        try failLink(&cluster)
        cluster.advance(.seconds(1))
        #expect(cluster.failures.isEmpty)
        #expect(cluster.machine.status.plan?.stages.count == 1)
    }

    @Test("where the coordinator does not reach the first stage, its worker stays and the next plan does without")
    func firstUnreachable() throws {
        var cluster = SimulatedCluster()
        cluster.endpoints["a"] = "tcp://127.0.0.1:7001"
        cluster.outOfReach = ["tcp://127.0.0.1:7001"]
        cluster.join("a")
        cluster.join("b")
        #expect(cluster.machine.status.plan?.stages.map(\.worker) == ["a", "b"])
        cluster.advance(.seconds(21))
        #expect(cluster.machine.status.plan?.stages.map(\.worker) == ["b"])
        #expect(cluster.failures.isEmpty)
        #expect(cluster.killed.isEmpty)
        #expect(cluster.logs.contains { $0.contains("the coordinator cannot reach worker a: ") })
    }
}
