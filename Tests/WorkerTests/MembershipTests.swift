import Sharding
import Testing

@testable import Worker

@Suite("Membership")
struct MembershipTests {
    static let run = RunID(high: 1, low: 2)
    static let other = RunID(high: 3, low: 4)
    static let heartbeat = HeartbeatSettings(interval: .milliseconds(500), deadAfter: .seconds(2))
    let start = ContinuousClock.now

    static func membership(launched: Bool = false, ending: WorkerEnding? = nil) -> Membership {
        Membership(
            name: "a", coordinator: "tcp://127.0.0.1:5555", ending: ending ?? (launched ? .withLauncher : .byItself))
    }

    func joined(launched: Bool = false, ending: WorkerEnding? = nil) -> Membership {
        var membership = Self.membership(launched: launched, ending: ending)
        _ = membership.connected(now: start)
        _ = membership.accepted(Self.run, Self.heartbeat, now: start)
        return membership
    }

    @Test("it says once that it waits, and greets when the connection stands")
    func waits() {
        var membership = Self.membership()
        #expect(membership.started() == [.log(.notice, "waiting for the coordinator at tcp://127.0.0.1:5555")])
        #expect(membership.disconnected() == [])
        #expect(membership.tick(now: start + .seconds(5)) == [])
        #expect(membership.connected(now: start) == [.sendHello])
        #expect(membership.tick(now: start) == [])
        #expect(membership.tick(now: start + Membership.helloInterval) == [.sendHello])
    }

    @Test("a joined worker sends heartbeats at the interval that it was told")
    func heartbeats() {
        var membership = joined()
        #expect(membership.tick(now: start) == [.sendHeartbeat])
        #expect(membership.tick(now: start + .milliseconds(499)) == [])
        #expect(membership.tick(now: start + .milliseconds(500)) == [.sendHeartbeat])
    }

    @Test("a silent coordinator's lease lapses, and with it the run")
    func lapse() {
        var membership = joined()
        let obeyed = membership.heard(Self.run, now: start + .seconds(1))
        #expect(obeyed)
        let actions = membership.tick(now: start + .seconds(3))
        #expect(actions.first == .dropRun)
        #expect(actions.last == .sendHello)
        #expect(membership.run == nil)
        let obeyedAfter = membership.heard(Self.run, now: start + .seconds(3))
        #expect(!obeyedAfter)
    }

    @Test("a worker of another machine's launch ends when its coordinator stays away, others wait for ever")
    func orphan() {
        for ending in [WorkerEnding.withCoordinator, .withLauncher, .byItself] {
            var membership = joined(ending: ending)
            _ = membership.tick(now: start)
            let lost = start + .seconds(10)
            _ = membership.disconnected()
            #expect(membership.tick(now: lost).allSatisfy { if case .end = $0 { false } else { true } })
            let before = membership.tick(now: lost + .seconds(59))
            #expect(before.allSatisfy { if case .end = $0 { false } else { true } })
            let actions = membership.tick(now: lost + .seconds(60))
            let isEnd = actions.contains { if case .end(.left) = $0 { true } else { false } }
            #expect(isEnd == (ending == .withCoordinator))
        }
    }

    @Test("a coordinator that comes back in time keeps its orphans")
    func adopted() {
        var membership = joined(ending: .withCoordinator)
        _ = membership.disconnected()
        _ = membership.tick(now: start + .seconds(10))
        _ = membership.connected(now: start + .seconds(50))
        _ = membership.accepted(Self.other, Self.heartbeat, now: start + .seconds(50))
        _ = membership.tick(now: start + .seconds(51))
        _ = membership.disconnected()
        #expect(
            membership.tick(now: start + .seconds(80)).allSatisfy { if case .end = $0 { false } else { true } })
    }

    @Test("a coordinator that cannot be reached is told of once, with what may be wrong, and again after a break")
    func unreachable() {
        var membership = Self.membership()
        _ = membership.started()
        func lines(_ seconds: Int) -> Int {
            membership.tick(now: start + .seconds(seconds)).count {
                if case .log(.warning, let line) = $0 { line.contains("is the port open") } else { false }
            }
        }
        #expect([0, 9, 10, 11, 100].map(lines) == [0, 0, 1, 0, 0])
        _ = membership.connected(now: start + .seconds(100))
        _ = membership.tick(now: start + .seconds(100))
        _ = membership.disconnected()
        #expect([101, 110, 111, 112].map(lines) == [0, 0, 1, 0])
    }

    @Test("another run is obeyed only when the lease of the first has ended")
    func otherRun() {
        var membership = joined()
        let obeyed = membership.heard(Self.other, now: start)
        #expect(!obeyed)
        _ = membership.disconnected()
        #expect(membership.connected(now: start + .seconds(1)) == [.sendHello])
        _ = membership.accepted(Self.other, Self.heartbeat, now: start + .seconds(1))
        #expect(membership.run == Self.run)
        #expect(!membership.isJoined)
        #expect(membership.tick(now: start + .seconds(2)) == [.dropRun, .sendHello])
        _ = membership.accepted(Self.other, Self.heartbeat, now: start + .seconds(2))
        #expect(membership.run == Self.other)
        #expect(membership.isJoined)
    }

    @Test("a broken connection leaves the run as it is when it returns in time")
    func reconnect() {
        var membership = joined()
        #expect(membership.disconnected().count == 1)
        #expect(membership.connected(now: start + .seconds(1)) == [.sendHello])
        _ = membership.accepted(Self.run, Self.heartbeat, now: start + .seconds(1))
        #expect(membership.tick(now: start + .milliseconds(2500)) == [.sendHeartbeat])
        #expect(membership.run == Self.run)
    }

    @Test("another version is final, and both are named")
    func version() {
        var membership = Self.membership()
        _ = membership.connected(now: start)
        let refusal = HelloRefusal(
            .versionMismatch, version: ProtocolVersion(number: 9, program: "9.9.9"), message: "no")
        guard case .end(.failed(let error)) = membership.refused(refusal, now: start).first else {
            Issue.record("it went on")
            return
        }
        #expect(error.code == .refused)
        #expect(error.description.contains("worker a speaks \(ProtocolVersion.current)"))
        #expect(error.description.contains("the coordinator protocol 9 (program 9.9.9)"))
    }

    @Test("a taken name is asked for again while it may be a dead process's")
    func nameTaken() {
        var membership = Self.membership()
        _ = membership.connected(now: start)
        let refusal = HelloRefusal(.nameTaken, message: "taken")
        #expect(membership.refused(refusal, now: start) == [.log(.warning, "taken")])
        #expect(membership.tick(now: start + Membership.nameTakenInterval) == [.sendHello])
        #expect(membership.refused(refusal, now: start + .seconds(1)) == [])
        guard case .end(.failed) = membership.refused(refusal, now: start + Membership.nameTakenWait).first else {
            Issue.record("it went on")
            return
        }
    }

    @Test("a good-bye that came together with the end of its connection is heard; another run's is not")
    func lateFarewell() throws {
        var membership = joined(launched: true)
        let run = try #require(membership.run)
        _ = membership.disconnected()
        #expect(membership.isOf(run))
        #expect(!membership.isOf(RunID(high: 5, low: 5)))
        #expect(membership.stopped("done", now: start) == [.end(.left("done"))])
        var waiting = joined(launched: false)
        _ = waiting.disconnected()
        _ = waiting.stopped("done", now: start)
        #expect(waiting.tick(now: start + .seconds(2)).contains(.sendHello) == false)
    }

    @Test("a coordinator's good-bye ends a launched worker; another waits for the next", arguments: [true, false])
    func stop(launched: Bool) {
        var membership = joined(launched: launched)
        let actions = membership.stopped("done", now: start)
        if launched {
            #expect(actions == [.end(.left("done"))])
        } else {
            #expect(actions.first == .dropRun)
            #expect(membership.run == nil)
            #expect(membership.tick(now: start + .seconds(1)) == [.sendHello])
        }
    }
}
