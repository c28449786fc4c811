import Foundation
import Sharding
import Testing

@testable import Coordinator

@Suite("Statistics")
struct ClusterStatisticsTests {
    private static let timings = GenerationTimings(
        promptTokens: 3, generatedTokens: 2, prompt: .zero, generation: .zero)

    private func running() throws -> (SimulatedCluster, ClusterStatistics) {
        var cluster = SimulatedCluster()
        cluster.start()
        let (epoch, plan) = try #require(cluster.machine.running)
        var statistics = ClusterStatistics()
        statistics.began(epoch, plan)
        return (cluster, statistics)
    }

    private func step(_ id: UInt64, _ operations: [SequenceOperation] = []) -> Step {
        Step(
            id: id, operations: operations,
            rows: [
                StepRow(sequence: SequenceID(7), position: 0, token: 1),
                StepRow(sequence: SequenceID(7), position: 1, token: 1, output: .token),
            ])
    }

    @Test("a request's times are counted from its arrival, its end by how it ended")
    func request() throws {
        let (cluster, counted) = try running()
        var statistics = counted
        let id = SequenceID(7)
        statistics.requests.submitted(id, promptTokens: 3, now: .seconds(1))
        _ = statistics.delivered(.begun(id, cachedTokens: 2), now: .seconds(2))
        _ = statistics.delivered(.token(id, AcceptedToken(token: 1, logprob: 0)), now: .seconds(4))
        _ = statistics.delivered(.token(id, AcceptedToken(token: 1, logprob: 0)), now: .seconds(5))
        let end = statistics.delivered(.finished(id, .stop, Self.timings), now: .seconds(6))
        let ended = try #require(end)
        #expect(ended.begunAt == .seconds(2) && ended.firstTokenAt == .seconds(4) && ended.generatedTokens == 2)
        let snapshot = cluster.machine.snapshot(statistics, now: .seconds(10))
        #expect(snapshot.requests.stopped == 1 && snapshot.requests.failed == 0)
        #expect(snapshot.tokens.prompt == 3 && snapshot.tokens.cached == 2 && snapshot.tokens.generated == 2)
        #expect(snapshot.times.queue.sumSeconds == 1 && snapshot.times.firstToken.sumSeconds == 3)
        #expect(snapshot.times.betweenTokens.sumSeconds == 1 && snapshot.times.request.sumSeconds == 5)
        #expect(snapshot.times.request.count == 1)
    }

    @Test("what nobody submitted does not count as a request")
    func stranger() throws {
        var (_, statistics) = try running()
        let end = statistics.delivered(.finished(SequenceID(9), .stop, Self.timings), now: .seconds(1))
        #expect(end == nil)
        #expect(statistics.requests.counts == EngineSnapshot.Requests())
        #expect(statistics.requests.times.request.count == 0)
    }

    @Test("a step's compute is counted by stage; the rest of its time is not")
    func stages() throws {
        let (cluster, counted) = try running()
        var statistics = counted
        let epoch = try #require(statistics.runningEpoch)
        statistics.sent(step(1), epoch, now: .seconds(1))
        let result = StepResult(step: 1, sequences: [], stageNanoseconds: [10_000_000, 20_000_000])
        let done = statistics.completed(result, epoch, wireBytes: 500, now: .milliseconds(1050))
        #expect(done?.spans.count == 2)
        let snapshot = cluster.machine.snapshot(statistics, now: .seconds(2))
        #expect(snapshot.stages.map(\.worker) == ["a", "b"] && snapshot.stages.map(\.rows) == [2, 2])
        #expect(snapshot.stages.map(\.compute.sumSeconds) == [0.01, 0.02])
        #expect(abs(snapshot.steps.inFlightSeconds - 0.05) < 1e-9 && abs(snapshot.steps.computeSeconds - 0.03) < 1e-9)
        #expect(snapshot.steps.rows == 2 && snapshot.steps.promptRows == 1 && snapshot.steps.wireBytes == 500)
        #expect(snapshot.workers.map(\.state) == [.active, .active])
        #expect(snapshot.isReady && snapshot.cache?.freeBlocks == snapshot.cache?.blocks)
    }

    @Test(
        "what a worker claims is bounded by what can be",
        arguments: [[], [UInt64.max], [UInt64.max, UInt64.max, UInt64.max]])
    func claims(nanoseconds: [UInt64]) throws {
        var (_, statistics) = try running()
        let epoch = try #require(statistics.runningEpoch)
        statistics.sent(step(1), epoch, now: .seconds(1))
        let result = StepResult(step: 1, sequences: [], stageNanoseconds: nanoseconds)
        let done = statistics.completed(result, epoch, wireBytes: .max, now: .seconds(2))
        let spans = try #require(done).spans
        #expect(spans.allSatisfy { $0.lowerBound >= .seconds(1) && $0.upperBound <= .seconds(2) })
        #expect(statistics.steps.computeSeconds <= 1)
    }

    @Test("results of another epoch, or out of turn, are not counted")
    func stale() throws {
        var (_, statistics) = try running()
        let epoch = try #require(statistics.runningEpoch)
        statistics.sent(step(3), epoch, now: .seconds(1))
        let next = try #require(epoch.next)
        for (id, epoch) in [(UInt64(2), epoch), (3, next)] {
            let result = StepResult(step: id, sequences: [])
            let done = statistics.completed(result, epoch, wireBytes: 0, now: .seconds(2))
            #expect(done == nil)
        }
        #expect(statistics.steps.completed == 0)
    }

    @Test("a request that enters the stages again is a replay")
    func replay() throws {
        var (_, statistics) = try running()
        let epoch = try #require(statistics.runningEpoch)
        let id = SequenceID(7)
        statistics.requests.submitted(id, promptTokens: 3, now: .zero)
        for number in 1...3 as ClosedRange<UInt64> {
            statistics.sent(step(number, [.begin(id, SequenceStart(tokens: [1]))]), epoch, now: .seconds(1))
        }
        #expect(statistics.requests.counts.replayed == 2)
    }

    @Test("a snapshot is the same after a way through JSON")
    func coding() throws {
        let (cluster, counted) = try running()
        var statistics = counted
        statistics.requests.rejected(.overloaded)
        statistics.failed("worker b was lost", now: .seconds(3))
        statistics.restarted("b")
        let snapshot = cluster.machine.snapshot(statistics, now: .seconds(4))
        #expect(snapshot.requests.rejected == ["overloaded": 1])
        #expect(snapshot.workers.last?.restarts == 1)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        #expect(try decoder.decode(EngineSnapshot.self, from: encoder.encode(snapshot)) == snapshot)
    }
}
