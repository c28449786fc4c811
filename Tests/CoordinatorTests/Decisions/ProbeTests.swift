import Sharding
import Testing

@testable import Coordinator

@Suite("Probes")
struct ProbeTests {
    private func probing() -> SimulatedCluster {
        var cluster = SimulatedCluster()
        cluster.holdsProbes = true
        cluster.start()
        return cluster
    }

    /// The step comes back that has the probe's row, and what only begins it before.
    private func completeProbe(_ cluster: inout SimulatedCluster, _ change: (inout StepResult) -> Void = { _ in }) {
        while cluster.pipeline.first?.step.rows.isEmpty == true { cluster.completeStep() }
        cluster.completeStep(change)
    }

    @Test("an epoch is ready once a token has come through all stages, and requests are taken from then on")
    func ready() throws {
        var cluster = probing()
        #expect(cluster.pipeline.flatMap { $0.step.rows.map(\.output) } == [.token])
        #expect(cluster.machine.readiness == .notReady("a first token is on its way through the stages"))
        #expect(throws: EngineError.self) { try cluster.submit([1], maxTokens: 1) }
        completeProbe(&cluster)
        #expect(cluster.machine.readiness == .ready)
        #expect(cluster.deliveries.isEmpty, "nobody asked for that token")
        let id = try cluster.submit([1], maxTokens: 1)
        cluster.drain()
        #expect(cluster.finish(of: id) == .length)
    }

    @Test("a later epoch is probed anew")
    func again() throws {
        var cluster = probing()
        completeProbe(&cluster)
        cluster.drain()
        let id = try cluster.submit([1, 2], maxTokens: 5)
        cluster.die("b")
        cluster.advance(.seconds(10))
        #expect(cluster.error(of: id) != nil)
        cluster.join("b")
        cluster.advance(.seconds(10))
        #expect(cluster.machine.readiness == .notReady("a first token is on its way through the stages"))
        completeProbe(&cluster)
        #expect(cluster.machine.readiness == .ready)
    }

    @Test("where no token comes through, the launch gives up after a few attempts and says so")
    func failing() {
        var cluster = probing()
        for _ in 0..<cluster.machine.settings.retries.loadsMax {
            completeProbe(&cluster) { result in
                result.sequences = result.sequences.map {
                    SequenceResult(sequence: $0.sequence, position: 1, outcome: .failed("not finite"))
                }
            }
            cluster.advance(.seconds(2))
        }
        #expect(cluster.failures.map(\.description) == ["no token came through the stages: not finite"])
        #expect(cluster.machine.readiness == .notReady("no token came through the stages: not finite"))
    }

    @Test("a probe that does not come back is a step past its deadline")
    func lost() {
        var cluster = probing()
        cluster.pipeline.removeAll()
        cluster.advance(cluster.machine.settings.deadlines.step + .seconds(2))
        #expect(cluster.logs.contains { $0.contains("step 1 did not move") })
    }
}
