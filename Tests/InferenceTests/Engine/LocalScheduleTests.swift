import Sharding
import Testing

@testable import Inference

@Suite("Local schedule")
struct LocalScheduleTests {
    private let limits = LocalSchedule.Limits(
        contextLength: 300, rowsMax: 10, sequencesMax: 2, queueMax: 2, cacheBlockCount: 6)
    private let first = SequenceID(1)
    private let second = SequenceID(2)
    private let third = SequenceID(3)

    private func request(_ count: Int, maxTokens: Int? = 3, end: Set<TokenID> = []) -> TokenRequest {
        TokenRequest(prompt: Array(repeating: 5, count: count), maxTokens: maxTokens, endTokens: end)
    }

    private func tokens(_ step: Step, _ token: TokenID = 7) -> StepResult {
        StepResult(
            step: step.id,
            sequences: step.rows.filter { $0.output == .token }.map {
                SequenceResult(
                    sequence: $0.sequence, position: $0.position + 1,
                    outcome: .tokens([AcceptedToken(token: token, logprob: 0)]))
            })
    }

    @Test("a prompt goes in pieces; only its last row asks for a token")
    func chunks() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(request(25), as: first))
        var sizes: [Int] = []
        var asking: [Int] = []
        for _ in 0..<3 {
            let step = try #require(schedule.nextStep(now: .zero))
            sizes.append(step.rows.count)
            asking += step.rows.filter { $0.output == .token }.map(\.position)
            _ = schedule.accept(tokens(step), now: .zero)
        }
        #expect(sizes == [10, 10, 5])
        #expect(asking == [24])
        #expect(schedule.nextStep(now: .zero)?.rows.map(\.position) == [25])
    }

    @Test("of what is embedded the last row asks for the mean, and the others are pooled; then it is freed")
    func embedding() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(EmbeddingRequest(tokens: Array(repeating: 5, count: 12)), as: first))
        #expect(schedule.add(EmbeddingRequest(tokens: [5]), as: second))
        let one = try #require(schedule.nextStep(now: .zero))
        #expect(one.rows.map(\.output) == Array(repeating: .pooled, count: 10))
        let two = try #require(schedule.nextStep(now: .zero))
        #expect(two.rows.map(\.output) == [.pooled, .mean, .mean])
        let result = StepResult(
            step: two.id,
            sequences: [first, second].map {
                SequenceResult(sequence: $0, position: $0 == first ? 12 : 1, outcome: .mean([Float($0.rawValue)]))
            })
        for (index, action) in schedule.accept(result, now: .zero).enumerated() {
            guard case .embed(let id, let embedding) = action else {
                Issue.record("expected an embedding, got \(action)")
                continue
            }
            #expect(id == [first, second][index] && embedding.values == [Float(id.rawValue)])
            #expect(embedding.timings.promptTokens == [12, 1][index] && embedding.timings.generatedTokens == 0)
        }
        #expect(schedule.nextStep(now: .zero)?.operations == [.free(first), .free(second)])
        #expect(schedule.nextStep(now: .zero) == nil)
    }

    @Test("sequences that generate go before prompts, in one step")
    func mixing() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(request(2), as: first))
        let step = try #require(schedule.nextStep(now: .zero))
        _ = schedule.accept(tokens(step), now: .zero)
        #expect(schedule.add(request(20), as: second))
        let mixed = try #require(schedule.nextStep(now: .zero))
        #expect(mixed.rows.map(\.sequence) == [first] + Array(repeating: second, count: 9))
        #expect(mixed.operations.count == 1)
    }

    @Test("an end token stops, the limit of tokens is a length, and both free the sequence")
    func finishing() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(request(2, end: [7]), as: first))
        #expect(schedule.add(request(2, maxTokens: 1), as: second))
        let step = try #require(schedule.nextStep(now: .seconds(1)))
        let reasons = schedule.accept(tokens(step), now: .seconds(3)).compactMap { action -> FinishReason? in
            if case .finish(_, let reason, let timings) = action {
                #expect(timings.prompt == .seconds(2))
                #expect(timings.generatedTokens == 1)
                return reason
            }
            return nil
        }
        #expect(reasons == [.stop, .length])
        #expect(schedule.nextStep(now: .zero)?.operations == [.free(first), .free(second)])
        #expect(schedule.nextStep(now: .zero) == nil)
    }

    @Test("a full context is a length")
    func fullContext() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(request(298, maxTokens: nil), as: first))
        var delivered = 0
        var reason: FinishReason?
        while let step = schedule.nextStep(now: .zero) {
            for action in schedule.accept(tokens(step), now: .zero) {
                if case .deliver = action { delivered += 1 }
                if case .finish(_, let finish, _) = action { reason = finish }
            }
        }
        #expect(delivered == 2)
        #expect(reason == .length)
    }

    @Test("a sequence waits until the cache can hold it to its end; the queue is bounded")
    func admission() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(request(200, maxTokens: 50), as: first))
        _ = schedule.nextStep(now: .zero)
        #expect(schedule.add(request(130), as: second))
        #expect(schedule.add(request(3), as: third))
        #expect(!schedule.add(request(3), as: SequenceID(4)))
        // Four of six blocks are promised to the first; three would be needed, and order of arrival is kept.
        let step = try #require(schedule.nextStep(now: .zero))
        #expect(Set(step.rows.map(\.sequence)) == [first])
        schedule.cancel(first)
        let next = try #require(schedule.nextStep(now: .zero))
        #expect(next.operations.first == .free(first))
        #expect(next.operations.count == 3)
        #expect(Set(next.rows.map(\.sequence)) == [second])
    }

    @Test("a failed sequence ends alone")
    func failure() throws {
        let schedule = Planner(limits)
        #expect(schedule.add(request(2), as: first))
        #expect(schedule.add(request(2), as: second))
        let step = try #require(schedule.nextStep(now: .zero))
        var result = tokens(step)
        result.sequences[0].outcome = .failed("not finite")
        let actions = schedule.accept(result, now: .zero)
        guard case .fail(first, let error)? = actions.first else {
            Issue.record("expected a failure, got \(actions)")
            return
        }
        #expect(error.code == .failed)
        #expect(schedule.nextStep(now: .zero)?.rows.map(\.sequence) == [second])
    }

    @Test("requests that can never run are refused with the numbers")
    func checks() throws {
        let check = { (request: TokenRequest) throws(EngineError) in
            try LocalSchedule.check(request, limits: limits, vocabularySize: 10)
        }
        try check(request(299))
        for (wrong, code) in [
            (request(0), EngineError.Code.invalidRequest), (request(1, maxTokens: 0), .invalidRequest),
            (TokenRequest(prompt: [10]), .invalidRequest), (TokenRequest(prompt: [-1]), .invalidRequest),
            (TokenRequest(prompt: [1], sampling: SamplingParameters(topP: 2)), .invalidRequest),
            (request(300), .contextLengthExceeded),
        ] {
            let error = try #require(throws: EngineError.self) { try check(wrong) }
            #expect(error.code == code)
        }
        let error = try #require(throws: EngineError.self) { try check(request(300)) }
        #expect(error.message == "prompt: 300 tokens do not fit a context of 300 with room for an answer")
    }
}

/// A schedule that expectations may change.
private final class Planner {
    private var schedule: LocalSchedule

    init(_ limits: LocalSchedule.Limits) { schedule = LocalSchedule(limits: limits) }

    func add(_ request: TokenRequest, as id: SequenceID) -> Bool { schedule.add(.generate(request), as: id) }
    func add(_ request: EmbeddingRequest, as id: SequenceID) -> Bool { schedule.add(.embed(request), as: id) }
    func nextStep(now: Duration) -> Step? { schedule.nextStep(now: now) }
    func accept(_ result: StepResult, now: Duration) -> [LocalSchedule.Action] { schedule.accept(result, now: now) }
    func cancel(_ id: SequenceID) { schedule.cancel(id) }
}
