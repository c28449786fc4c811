import Sharding
import Testing
import ZeroMQ

@testable import Coordinator

@Suite("Keys")
struct KeyTests {
    private static func key(_ number: UInt8) -> CurvePublicKey {
        CurvePublicKey(bytes: [UInt8](repeating: number, count: 32))!
    }

    private static let own = key(1)
    private static let keys = ["a": key(2), "b": key(3)]

    /// A cluster of two workers that others start, with keys.
    private func cluster() -> SimulatedCluster {
        SimulatedCluster { settings in
            settings.coordinatorKey = Self.own
            for index in settings.workers.indices {
                settings.workers[index].key = Self.keys[settings.workers[index].name]
            }
        }
    }

    private func join(_ name: String, _ cluster: inout SimulatedCluster, key: CurvePublicKey?) {
        cluster.processes[name] = .init(instance: 7, peer: PeerID(Array(name.utf8), key: key))
        let hello = cluster.hello(name, endpoint: "tcp://10.0.0.\(name == "a" ? 1 : 2):4000")
        cluster.report(.hello(hello), of: name)
    }

    private func lastRefusal(_ cluster: SimulatedCluster) -> HelloRefusal? {
        if case .refused(let refusal) = cluster.replies.last { refusal } else { nil }
    }

    @Test("a worker joins under the name that its key is listed for, and is told whom to send to and to take from")
    func orders() throws {
        var cluster = cluster()
        join("a", &cluster, key: Self.key(2))
        join("b", &cluster, key: Self.key(3))
        #expect(cluster.machine.readiness == .ready)
        let plan = try #require(cluster.machine.currentPlan)
        #expect(plan.firstKey == Self.key(2) && plan.lastKey == Self.key(3))
        let first = try #require(plan.orders["a"]?.stages.first)
        #expect(first.nextEndpoint == "tcp://10.0.0.2:4000")
        #expect(first.nextKey == Self.key(3))
        #expect(first.admittedKeys == [Self.own])
        let last = try #require(plan.orders["b"]?.stages.first)
        #expect(last.nextKey == Self.own)
        #expect(last.admittedKeys == [Self.key(2)])
    }

    @Test("another worker's key, and none, do not open a name", arguments: [3, nil] as [UInt8?])
    func wrongName(number: UInt8?) throws {
        var cluster = cluster()
        join("a", &cluster, key: number.map(Self.key))
        let refusal = try #require(lastRefusal(cluster))
        #expect(refusal.reason == .invalid)
        #expect(refusal.message.contains("expected the one that security.workers has for a, got "))
        #expect(refusal.message.contains(number == nil ? "none" : "that of b"))
    }

    @Test("a worker whose key is taken off the list is out at once, and the others stay")
    func removed() {
        var cluster = cluster()
        join("a", &cluster, key: Self.key(2))
        join("b", &cluster, key: Self.key(3))
        let actions = cluster.machine.rekey(["a": Self.key(2)], now: cluster.now)
        #expect(actions.first == .admit([Self.key(2)], endingThoseOf: [Self.key(3)]))
        cluster.perform(actions)
        guard case .notReady(let reason) = cluster.machine.readiness else {
            Issue.record("expected it not to be ready")
            return
        }
        #expect(reason.contains("worker b (its key was taken off the list)"))
        join("b", &cluster, key: Self.key(3))
        #expect(lastRefusal(cluster)?.reason == .invalid)
        let back = cluster.machine.rekey(Self.keys, now: cluster.now)
        cluster.perform(back)
        join("b", &cluster, key: Self.key(3))
        cluster.advance(.seconds(1))
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("workers whose keys change places are out under their old names")
    func swapped() {
        var cluster = cluster()
        join("a", &cluster, key: Self.key(2))
        join("b", &cluster, key: Self.key(3))
        let actions = cluster.machine.rekey(["a": Self.key(3), "b": Self.key(2)], now: cluster.now)
        cluster.perform(actions)
        #expect(cluster.machine.registry.missing == ["a", "b"])
    }

    @Test("workers that are started from here keep their keys when the list changes")
    func launched() {
        var cluster = SimulatedCluster(isLaunched: true) { settings in
            settings.coordinatorKey = Self.own
            for index in settings.workers.indices {
                settings.workers[index].key = Self.keys[settings.workers[index].name]
            }
        }
        let actions = cluster.machine.rekey([:], now: .zero)
        #expect(actions == [.admit([Self.key(2), Self.key(3)], endingThoseOf: [])])
        cluster.perform(actions)
    }
}
