import Coordinator
import Foundation
import ShardKit
import Sharding
import Testing

@Suite("One answer over several processes", .serialized, .timeLimit(.minutes(5)))
struct OneAnswerTests {
    private static let tokens = try? Golden.load().cases[0].promptIDs

    /// Bit patterns of the logits that one process computes.
    private func expected(_ tokens: [TokenID]) async throws -> [UInt32] {
        let runner = try await ShardedModelRunner(
            shards: Paths.demo, options: RunnerOptions(threads: 1, cacheType: .f32))
        return try await runner(tokens).values.map(\.bitPattern)
    }

    private func expectLogits(_ cluster: Cluster, chunks: [Int]) async throws {
        let tokens = try #require(Self.tokens)
        let expected = try await expected(tokens)
        for chunk in chunks {
            var logits: [UInt32] = []
            try await cluster.engine.logits(of: tokens, chunk: chunk) { logits += $0.map(\.bitPattern) }
            #expect(logits == expected, "chunk \(chunk)")
        }
    }

    @Test("a coordinator and two workers answer as one process does")
    func twoWorkers() async throws {
        var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        options.policy = .roundRobin
        try await RunningCluster.with(Paths.demo, options) { cluster in
            let plan = await cluster.service.status.plan
            #expect(plan?.stages.map(\.worker) == ["a", "b"])
            try await RunningCluster.expectGolden(cluster)
            try await expectLogits(cluster, chunks: [1, 7, 256])
        }
    }

    @Test("an embedding over two workers is that of one process, bit for bit, in steps of any size")
    func embedding() async throws {
        let runner = try await ShardedModelRunner(
            shards: Paths.demo, options: RunnerOptions(threads: 1, cacheType: .f32))
        let texts = [Array(try #require(Self.tokens)), (0..<100).map { TokenID(20 + $0 * 7 % 200) }, [5]]
        var expected: [[Float]] = []
        for text in texts { expected.append(try await runner.embedding(text)) }
        var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        options.policy = .roundRobin
        for rows in [1, 7, 256] {
            options.maxRows = rows
            try await RunningCluster.with(Paths.demo, options) { cluster in
                async let answer = RunningCluster.tokens(
                    cluster.engine, TokenRequest(prompt: texts[1], maxTokens: 20))
                for (text, expected) in zip(texts, expected) {
                    let embedding = try await cluster.engine.embedding(of: EmbeddingRequest(tokens: text))
                    #expect(embedding.values.map(\.bitPattern) == expected.map(\.bitPattern), "\(rows) rows a step")
                    #expect(embedding.timings.promptTokens == text.count && embedding.timings.wireBytes > 0)
                }
                #expect(try await answer.count == 20)
            }
        }
    }

    @Test("a prompt that goes on from an earlier answer is answered as one that is computed anew")
    func sharedPrefix() async throws {
        let prompt = (0..<100).map { TokenID(20 + $0 * 7 % 200) }
        let sampling = SamplingParameters(temperature: 1, repetitionPenalty: 1.1, presencePenalty: 0.5, seed: 3)
        var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        options.policy = .roundRobin
        var second: [TokenID] = []
        var answers: [[TokenID]] = []
        for shares in [true, false] {
            options.sharesPrefixes = shares
            try await RunningCluster.with(Paths.demo, options) { cluster in
                let first = try await RunningCluster.answer(
                    cluster.engine, TokenRequest(prompt: prompt, sampling: sampling, maxTokens: 30))
                #expect(first.cachedCount == 0 && first.tokens.count == 30)
                second = prompt + first.tokens + [5, 6, 7]
                let next = try await RunningCluster.answer(
                    cluster.engine, TokenRequest(prompt: second, sampling: sampling, maxTokens: 20))
                #expect(next.cachedCount == (shares ? prompt.count + 29 : 0))
                answers += [first.tokens, next.tokens]
            }
        }
        #expect(answers[0] == answers[2] && answers[1] == answers[3])
    }

    @Test(
        "a worker that reads weights from disk loads within the memory that its refusal asks for, and answers with one that holds them as one process does"
    )
    func streaming() async throws {
        var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b"]))
        options.workers[0].mode = .memoryEfficient
        options.policy = .roundRobin
        options.workers[0].memoryBytes = try await smallestMemory(options) + (1 << 20)
        try await RunningCluster.with(Paths.demo, options) { cluster in
            let share = await cluster.service.status.plan?.shares.first
            #expect((share?.streamedBytes ?? 0) > 0)
            try await RunningCluster.expectGolden(cluster)
            try await expectLogits(cluster, chunks: [1, 7, 256])
        }
    }

    /// What the planner refuses less than, rounded up: a program counts as much as the system caches of it.
    private func smallestMemory(_ options: ClusterOptions) async throws -> Int {
        var options = options
        options.workers[0].memoryBytes = 1 << 20
        let cluster = try await RunningCluster.start(Paths.demo, options)
        let refusal = await #expect(throws: (any Error).self) { try await cluster.run() }
        let message = "\(try #require(refusal))"
        let match = try #require(message.firstMatch(of: /worker a needs ([0-9.]+) MiB/), "\(message)")
        return Int(try #require(Double(match.1)).rounded(.up)) << 20
    }

    @Test("three workers in a ring over six shards answer as one process does")
    func ring() async throws {
        try await Paths.withFolder { folder in
            let shards = folder.appending(path: "shards")
            try await splitModel(at: Paths.demo, shards: 6, into: shards)
            var options = RunningCluster.options(workers: RunningCluster.workers(["a", "b", "c"]))
            options.policy = .roundRobin
            try await RunningCluster.with(shards, options) { cluster in
                let plan = await cluster.service.status.plan
                #expect(plan?.stages.map(\.worker) == ["a", "b", "c", "a", "b", "c"])
                try await RunningCluster.expectGolden(cluster)
                try await expectLogits(cluster, chunks: [7])
            }
        }
    }

    @Test("the head on a worker of its own changes nothing")
    func headAlone() async throws {
        var workers = RunningCluster.workers(["a", "b"])
        workers[0].layers = LayerSelection(ranges: [0..<8])
        workers[1].layers = LayerSelection(ranges: [], includesHead: true)
        var options = RunningCluster.options(workers: workers)
        options.policy = .manual
        try await RunningCluster.with(Paths.demo, options) { cluster in
            try await expectLogits(cluster, chunks: [7])
        }
    }
}
