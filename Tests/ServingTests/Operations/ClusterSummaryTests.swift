import Sharding
import Testing

@testable import Serving

@Suite("Cluster summary")
struct ClusterSummaryTests {
    private func stages(_ busy: [Double], workers: [String] = ["a", "b", "c"]) -> [ClusterSummary.Stage] {
        busy.enumerated().map {
            ClusterSummary.Stage(index: $0, worker: workers[$0], units: "\($0)", busy: $1)
        }
    }

    @Test("the stage that the others wait for is named")
    func bottleneck() {
        #expect(
            ClusterSummary.bottleneck(stages([0.5, 0.92]), reason: nil)
                == "stage 1 on b computes 92 % of the time; a waits for it")
        #expect(
            ClusterSummary.bottleneck(stages([0.5, 0.92, 0.1]), reason: nil)
                == "stage 1 on b computes 92 % of the time; a, c wait for it")
        #expect(
            ClusterSummary.bottleneck(stages([0.95, 0.92]), reason: nil)
                == "stage 0 on a computes 95 % of the time, the others about as much: the pipeline is full")
        #expect(ClusterSummary.bottleneck(stages([0.92]), reason: nil) == "stage 0 on a computes 92 % of the time")
        #expect(ClusterSummary.bottleneck(stages([0.3, 0.4]), reason: nil).contains("wait for requests"))
        #expect(ClusterSummary.bottleneck(stages([0, 0]), reason: nil) == "nothing to compute at the moment")
        #expect(ClusterSummary.bottleneck([], reason: "waiting for worker b") == "nothing runs: waiting for worker b")
        // A worker does not wait for itself.
        #expect(
            ClusterSummary.bottleneck(stages([0.5, 0.92], workers: ["a", "a"]), reason: nil).hasSuffix(
                "the pipeline is full"))
    }

    private func body(_ engine: EngineSnapshot) -> ClusterBody {
        ClusterBody(
            version: "1", model: ClusterBody.Model(id: "demo", contextLength: 1, vocabularySize: 1),
            http: HTTPSnapshot(openConnections: 0, requests: []), engine: engine)
    }

    @Test("rates are those of the last seconds, times those since the earlier reading of the same life")
    func rates() throws {
        var early = MetricsTests.snapshot()
        early.recent.binSeconds = 0.1
        early.recent.tokens = Array(repeating: 10, count: 99) + [3]
        early.recent.busy = [Array(repeating: 0.5, count: 100), Array(repeating: 1, count: 99) + [0]]
        early.times.betweenTokens.note(.seconds(1))
        var late = early
        late.times.betweenTokens.note(.milliseconds(10))
        late.stages[0].compute.note(.milliseconds(3))
        late.stages[0].rows += 4
        let summary = ClusterSummary(body(late), engine: late, since: early)
        #expect(abs(summary.tokensPerSecond - 100) < 1e-6)
        #expect(summary.stages.map(\.busy) == [0.5, 1])
        #expect(try #require(summary.betweenTokens).p95 <= 0.01)
        #expect(summary.firstToken == nil)
        #expect(summary.stages[0].stepSeconds == 0.003 && summary.stages[0].rowsPerStep == 4)
        #expect(summary.stages[1].stepSeconds == nil)
        early.run = "another life"
        #expect(ClusterSummary(body(late), engine: late, since: early).firstToken != nil)
    }

    @Test("a reading from a server that counts nonsense is no reason to end")
    func hostile() {
        var engine = EngineSnapshot()
        engine.recent.binSeconds = .infinity
        engine.recent.tokens = [.max, .max, 1]
        engine.recent.busy = [[.nan, 1]]
        engine.cache = EngineSnapshot.Cache(
            blockPositions: 0, blocks: 0, freeBlocks: 5, retainedBlocks: 7, retainedSequences: 0)
        engine.stages = [EngineSnapshot.Stage(index: 5, worker: "x", units: "")]
        engine.recent.tokens = [1]
        let summary = ClusterSummary(body(engine), engine: engine)
        #expect(summary.tokensPerSecond == 0 && summary.cacheUsed == nil)
        #expect(summary.bottleneck == "nothing to compute at the moment")
    }
}
