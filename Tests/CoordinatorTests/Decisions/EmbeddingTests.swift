import Sharding
import Testing

@testable import Coordinator

@Suite("Embeddings among other requests")
struct EmbeddingTests {
    /// A scheduler with its stages; a step comes back when the one after it has been sent.
    private struct Pipeline {
        var scheduler: StepScheduler
        var stages: SimulatedStages
        var steps: [Step] = []
        var events: [SequenceEvent] = []
        private var onTheWay: [StepResult] = []

        init(blockCount: Int = 32, maxSequences: Int = 8, maxRows: Int = 16, hiddenSize: Int = 1) throws {
            scheduler = StepScheduler(
                capacity: ClusterSettings.Capacity(
                    vocabularySize: SimulatedStages.vocabularySize, hiddenSize: hiddenSize, contextLength: 256,
                    maxSequences: maxSequences, queueMax: 100, maxRows: maxRows, blockPositions: 64,
                    cachePositions: blockCount * 64))
            scheduler.start(epoch: Epoch(1), depth: 2, now: .zero)
            stages = try SimulatedStages(blockCount: blockCount)
        }

        mutating func embed(_ tokens: [TokenID], priority: Int = 0) throws -> SequenceID {
            try scheduler.submit(TokenRequest(prompt: tokens, priority: priority), kind: .embed)
        }

        mutating func turn() throws {
            for step in scheduler.nextSteps(now: .zero) {
                steps.append(step)
                onTheWay.append(try stages.run(step))
            }
            guard !onTheWay.isEmpty else { return }
            guard case .events(let news) = scheduler.complete(onTheWay.removeFirst(), wireBytes: 1000, now: .zero)
            else {
                Issue.record("expected events")
                return
            }
            events += news
        }

        mutating func finish() throws {
            for _ in 0..<10_000 where !scheduler.isIdle || !onTheWay.isEmpty { try turn() }
            #expect(scheduler.isIdle)
        }

        func embedding(of id: SequenceID) -> Embedding? {
            events.lazy.compactMap { if case .embedded(id, let embedding) = $0 { embedding } else { nil } }.first
        }
    }

    private func tokens(_ count: Int, _ seed: TokenID) -> [TokenID] {
        (0..<TokenID(count)).map { ($0 * 7 + seed * $0 + seed) % TokenID(SimulatedStages.vocabularySize) }
    }

    @Test("what is embedded comes back as the mean of all its rows, computed once and freed")
    func means() throws {
        var pipeline = try Pipeline()
        let texts = [tokens(1, 1), tokens(100, 2), tokens(256, 3), tokens(16, 4)]
        let ids = try texts.map { try pipeline.embed($0) }
        let other = try pipeline.scheduler.submit(TokenRequest(prompt: tokens(30, 5), maxTokens: 40), kind: .generate)
        try pipeline.finish()
        for (id, text) in zip(ids, texts) {
            let embedding = try #require(pipeline.embedding(of: id))
            #expect(embedding.values == SimulatedStages.mean(of: text))
            #expect(embedding.timings.promptTokens == text.count && embedding.timings.generatedTokens == 0)
            #expect(embedding.timings.wireBytes > 0)
        }
        #expect(pipeline.stages.rowCount == texts.reduce(0) { $0 + $1.count } + 30 + 39)
        #expect(pipeline.events.contains { if case .finished(other, .length, _) = $0 { true } else { false } })
        #expect(Set(pipeline.stages.states.keys).isDisjoint(with: ids))
    }

    @Test("state that others left is not begun with: every row has a part in the mean")
    func noPrefix() throws {
        var pipeline = try Pipeline()
        let text = tokens(100, 1)
        _ = try pipeline.scheduler.submit(TokenRequest(prompt: text, maxTokens: 1), kind: .generate)
        try pipeline.finish()
        let id = try pipeline.embed(text)
        let again = try pipeline.embed(text)
        try pipeline.finish()
        #expect(pipeline.embedding(of: id)?.values == SimulatedStages.mean(of: text))
        #expect(pipeline.embedding(of: again)?.values == SimulatedStages.mean(of: text))
        #expect(pipeline.stages.rowCount == 300)
    }

    @Test("one that has to make room begins anew, with its first row")
    func suspended() throws {
        var pipeline = try Pipeline(blockCount: 4)
        let urgent = try pipeline.scheduler.submit(
            TokenRequest(prompt: tokens(20, 1), maxTokens: 200, priority: 1), kind: .generate)
        let ids = try (0..<3).map { try pipeline.embed(tokens(60, TokenID($0))) }
        try pipeline.finish()
        for (index, id) in ids.enumerated() {
            #expect(pipeline.embedding(of: id)?.values == SimulatedStages.mean(of: tokens(60, TokenID(index))))
        }
        #expect(pipeline.events.contains { if case .finished(urgent, .length, _) = $0 { true } else { false } })
    }

    @Test("a result has no more means than the wire takes")
    func meansOfOneResult() throws {
        var pipeline = try Pipeline(hiddenSize: WireLimits.meanElementsMax / 2)
        for seed in 0..<5 { _ = try pipeline.embed(tokens(2, TokenID(seed))) }
        let steps = pipeline.scheduler.nextSteps(now: .zero)
        #expect(!steps.isEmpty)
        for step in steps { #expect(step.rows.count { $0.output == .mean } <= 2) }
    }

    @Test(
        "what cannot be embedded is refused",
        arguments: [([], EngineError.Code.invalidRequest), ([50], .invalidRequest), ([-1], .invalidRequest)])
    func refusals(tokens: [TokenID], code: EngineError.Code) throws {
        var pipeline = try Pipeline()
        #expect(#expect(throws: EngineError.self) { try pipeline.embed(tokens) }?.code == code)
        let long = Array(repeating: TokenID(1), count: 257)
        #expect(#expect(throws: EngineError.self) { try pipeline.embed(long) }?.code == .contextLengthExceeded)
    }

    @Test("a mean of another size, or a token in its place, is a fault")
    func faults() throws {
        for outcome in [SequenceResult.Outcome.mean([1, 2]), .tokens([AcceptedToken(token: 1, logprob: 0)])] {
            var pipeline = try Pipeline()
            let id = try pipeline.embed([1, 2])
            let step = try #require(pipeline.scheduler.nextSteps(now: .zero).first)
            let result = StepResult(
                step: step.id, sequences: [SequenceResult(sequence: id, position: 2, outcome: outcome)])
            guard case .fault = pipeline.scheduler.complete(result, wireBytes: 0, now: .zero) else {
                Issue.record("expected a fault of \(outcome)")
                continue
            }
        }
    }
}
