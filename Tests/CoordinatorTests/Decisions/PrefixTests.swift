import Sharding
import Simulation
import Testing

@testable import Coordinator

@Suite("Prefix reuse and memory of sequences")
struct PrefixTests {
    private static let blockPositions = 64

    /// A scheduler with its pipeline: steps come back in order, when asked.
    private struct Pipeline {
        var scheduler: StepScheduler
        var stages: SimulatedStages
        var onTheWay: [StepResult] = []
        var tokens: [SequenceID: [TokenID]] = [:]
        var ends: [SequenceID: (FinishReason, GenerationTimings)] = [:]

        init(
            blockCount: Int, maxSequences: Int = 4, contextLength: Int = 512, maxRows: Int = 64, shares: Bool = true
        ) throws {
            var capacity = ClusterSettings.Capacity(
                vocabularySize: SimulatedStages.vocabularySize, hiddenSize: 1, contextLength: contextLength,
                maxSequences: maxSequences, queueMax: 100, maxRows: maxRows, blockPositions: blockPositions,
                cachePositions: blockCount * blockPositions)
            capacity.sharesPrefixes = shares
            scheduler = StepScheduler(capacity: capacity)
            scheduler.start(epoch: Epoch(1), depth: 2, now: .zero)
            stages = try SimulatedStages(blockCount: blockCount)
        }

        mutating func submit(
            _ prompt: [TokenID], maxTokens: Int, owner: String = "", priority: Int = 0
        ) throws -> SequenceID {
            try scheduler.submit(
                TokenRequest(prompt: prompt, maxTokens: maxTokens, owner: owner, priority: priority), kind: .generate)
        }

        mutating func send() throws {
            for step in scheduler.nextSteps(now: .zero) {
                onTheWay.append(try stages.run(step))
            }
            // What is still to be freed is not counted any more.
            guard scheduler.frees.isEmpty else { return }
            #expect(stages.freeBlockCount >= scheduler.ledger.freeCount, "no stage holds more than is counted")
        }

        mutating func receive() {
            guard !onTheWay.isEmpty else { return }
            guard case .events(let events) = scheduler.complete(onTheWay.removeFirst(), wireBytes: 0, now: .zero) else {
                Issue.record("expected events")
                return
            }
            for event in events {
                switch event {
                case .token(let id, let token): tokens[id, default: []].append(token.token)
                case .finished(let id, let reason, let timings): ends[id] = (reason, timings)
                case .begun: break
                case .failed, .logits, .embedded: Issue.record("expected tokens, got \(event)")
                }
            }
        }

        mutating func finish() throws {
            for _ in 0..<100_000 {
                try send()
                if onTheWay.isEmpty { break }
                receive()
            }
            #expect(scheduler.isIdle)
        }
    }

    private func prompt(_ count: Int, _ seed: TokenID) -> [TokenID] {
        (0..<TokenID(count)).map { ($0 * 7 + seed * $0 + seed) % TokenID(SimulatedStages.vocabularySize) }
    }

    @Test("the second turn of a chat computes what is new, and gives the same answer")
    func secondTurn() throws {
        var pipeline = try Pipeline(blockCount: 32)
        let first = prompt(300, 1)
        let one = try pipeline.submit(first, maxTokens: 20)
        try pipeline.finish()
        let history = first + (pipeline.tokens[one] ?? []) + prompt(10, 2)
        let before = pipeline.stages.rowCount
        let two = try pipeline.submit(history, maxTokens: 5)
        try pipeline.finish()
        #expect(pipeline.tokens[two] == SimulatedStages.answer(to: history, count: 5))
        // The last token of the first answer was never computed with.
        #expect(pipeline.ends[two]?.1.cachedTokens == 319)
        #expect(pipeline.stages.rowCount - before == history.count - 319 + 4)
    }

    @Test("choices of one prompt compute it once")
    func choices() throws {
        var pipeline = try Pipeline(blockCount: 32)
        let prompt = prompt(100, 3)
        let ids = try (0..<4).map { _ in try pipeline.submit(prompt, maxTokens: 8) }
        try pipeline.finish()
        for id in ids { #expect(pipeline.tokens[id] == SimulatedStages.answer(to: prompt, count: 8)) }
        #expect(pipeline.stages.rowCount == 100 + 3 + 4 * 7)
    }

    @Test("without prefix reuse every prompt is computed, and nothing is held on to")
    func off() throws {
        var pipeline = try Pipeline(blockCount: 32, shares: false)
        let prompt = prompt(100, 3)
        for _ in 0..<2 { _ = try pipeline.submit(prompt, maxTokens: 1) }
        try pipeline.finish()
        #expect(pipeline.stages.rowCount == 200)
        #expect(pipeline.stages.freeBlockCount == 32)
    }

    @Test("states that are kept make room for those that run, the one used longest ago first")
    func leastRecentlyUsed() throws {
        var pipeline = try Pipeline(blockCount: 4, maxSequences: 1)
        for seed in 1...2 as ClosedRange<TokenID> {
            _ = try pipeline.submit(prompt(100, seed), maxTokens: 1)
            try pipeline.finish()
        }
        // The first is used again, so the second has to go for a third.
        _ = try pipeline.submit(prompt(100, 1), maxTokens: 1)
        try pipeline.finish()
        _ = try pipeline.submit(prompt(100, 4), maxTokens: 1)
        try pipeline.finish()
        let before = pipeline.stages.rowCount
        _ = try pipeline.submit(prompt(100, 1), maxTokens: 1)
        try pipeline.finish()
        #expect(pipeline.stages.rowCount - before == 1)
    }

    @Test("where memory runs out the youngest waits, and its answer is the same")
    func preemption() throws {
        // Four answers of 200 tokens take 16 blocks; there are 7.
        var pipeline = try Pipeline(blockCount: 7)
        let prompts = (0..<4).map { prompt(20, TokenID($0 + 1)) }
        let ids = try prompts.map { try pipeline.submit($0, maxTokens: 200) }
        try pipeline.finish()
        for (id, prompt) in zip(ids, prompts) {
            #expect(pipeline.tokens[id] == SimulatedStages.answer(to: prompt, count: 200))
            #expect(pipeline.ends[id]?.0 == .length)
        }
    }

    @Test("a higher priority begins first, and owners take turns")
    func order() throws {
        var pipeline = try Pipeline(blockCount: 8, maxSequences: 2)
        let busy = try (0..<3).map { try pipeline.submit(prompt(5, TokenID($0)), maxTokens: 30, owner: "a") }
        let other = try pipeline.submit(prompt(5, 8), maxTokens: 3, owner: "b")
        try pipeline.send()
        #expect(Set(pipeline.scheduler.active.keys) == [busy[0], other])
        let urgent = try pipeline.submit(prompt(5, 9), maxTokens: 3, owner: "a", priority: 1)
        while pipeline.ends[urgent] == nil, pipeline.ends[busy[1]] == nil {
            pipeline.receive()
            try pipeline.send()
        }
        #expect(pipeline.ends[urgent] != nil)
        try pipeline.finish()
    }

    @Test(
        "whatever is asked and cancelled, no stage runs out of memory, and answers are those of single runs",
        arguments: 1...40)
    func anything(seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        var pipeline = try Pipeline(blockCount: 8 + seed % 5, maxSequences: 1 + seed % 6, maxRows: 8 + seed)
        var asked: [SequenceID: (prompt: [TokenID], count: Int)] = [:]
        var cancelled: Set<SequenceID> = []
        for _ in 0..<300 {
            switch random.below(10) {
            case 0, 1:
                // Some begin alike, some like an answer that went before.
                let shared = prompt(random.below(200), TokenID(random.below(3)))
                var tokens = shared + prompt(1 + random.below(40), TokenID(random.below(50)))
                if random.below(2) == 0, let (id, old) = asked.randomElement(using: &random) {
                    tokens = old.prompt + (pipeline.tokens[id] ?? []) + tokens.prefix(5)
                }
                let count = 1 + random.below(100)
                guard tokens.count + count <= 400 else { continue }
                let id = try pipeline.submit(tokens, maxTokens: count, priority: random.below(2))
                asked[id] = (tokens, count)
            case 2:
                if let id = asked.keys.sorted().last, random.below(2) == 0,
                    pipeline.scheduler.cancel(id, now: .zero) != nil
                {
                    cancelled.insert(id)
                }
            case 3...5: try pipeline.send()
            default: pipeline.receive()
            }
        }
        try pipeline.finish()
        for (id, request) in asked where !cancelled.contains(id) {
            #expect(
                pipeline.tokens[id] == SimulatedStages.answer(to: request.prompt, count: request.count), "seed \(seed)")
        }
    }
}
