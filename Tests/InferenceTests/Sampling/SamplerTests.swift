import Sharding
import Testing

@testable import Inference

@Suite("Sampler")
struct SamplerTests {
    /// Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625 in another order, up to rounding: ids 3, 1, 0, 2, 4.
    private static let logits: [Float] = [
        -2.0794415, -1.3862944, -2.7725887, -0.6931472, -2.7725887,
    ]

    private func sample(
        _ parameters: SamplingParameters, logits: [Float] = logits, tokens: [TokenID] = [], promptCount: Int = 0,
        position: Int? = nil, choice: Int = 0, mask: [UInt64]? = nil
    ) throws -> AcceptedToken {
        var logits = logits
        let prompt = try SequenceSampling(SequenceStart(tokens: Array(tokens.prefix(promptCount))))
        let start = try SequenceSampling(
            SequenceStart(tokens: tokens, sampling: parameters, choice: choice, samplerState: prompt.state))
        let sampler = Sampler(vocabularySize: logits.count)
        return try logits.withUnsafeMutableBufferPointer {
            try sampler.sample($0, for: start, position: position ?? tokens.count - 1, mask: mask)
        }
    }

    /// How often each token comes in 4000 positions.
    private func shares(_ parameters: SamplingParameters, mask: [UInt64]? = nil) throws -> [Float] {
        var counts = [Float](repeating: 0, count: 5)
        for position in 0..<4000 {
            counts[Int(try sample(parameters, position: position, mask: mask).token)] += 1 / 4000
        }
        return counts
    }

    private func expectNear(_ got: [Float], _ expected: [Float]) {
        for (got, expected) in zip(got, expected) {
            #expect(expected == 0 ? got == 0 : abs(got - expected) < 0.03, "\(got) for \(expected)")
        }
    }

    @Test("greedy takes the highest logit, of equals the lowest id")
    func greedy() throws {
        #expect(try sample(.greedy).token == 3)
        #expect(try sample(.greedy, logits: [1, 5, 2, 5]).token == 1)
        #expect(try sample(.greedy, logits: [-0.0, 0]).token == 0)
    }

    @Test("temperature 1 draws by probability")
    func temperature() throws {
        expectNear(try shares(SamplingParameters(temperature: 1)), [0.125, 0.25, 0.0625, 0.5, 0.0625])
        // Squared and normalised: 0.25, 0.0625, … of 0.3359.
        expectNear(
            try shares(SamplingParameters(temperature: 0.5)), [0.0465, 0.186, 0.0116, 0.744, 0.0116])
    }

    @Test("top-k, top-p and min-p keep what they say")
    func truncation() throws {
        expectNear(try shares(SamplingParameters(temperature: 1, topK: 2)), [0, 1 / 3, 0, 2 / 3, 0])
        expectNear(try shares(SamplingParameters(temperature: 1, topP: 0.6)), [0, 1 / 3, 0, 2 / 3, 0])
        expectNear(try shares(SamplingParameters(temperature: 1, topP: 0.8)), [1 / 7, 2 / 7, 0, 4 / 7, 0])
        expectNear(try shares(SamplingParameters(temperature: 1, minP: 0.2)), [1 / 7, 2 / 7, 0, 4 / 7, 0])
        expectNear(try shares(SamplingParameters(temperature: 1, topK: 1)), [0, 0, 0, 1, 0])
    }

    @Test("of equal candidates at the border the lowest id stays")
    func ties() throws {
        expectNear(
            try shares(SamplingParameters(temperature: 1, topK: 4)), [2 / 15, 4 / 15, 1 / 15, 8 / 15, 0])
    }

    @Test("a mask leaves only what it allows; one that allows nothing is an error")
    func mask() throws {
        expectNear(try shares(SamplingParameters(temperature: 1), mask: [0b00011]), [1 / 3, 2 / 3, 0, 0, 0])
        #expect(try sample(.greedy, mask: [0b10101]).token == 0)
        #expect(throws: InferenceError.self) { try sample(.greedy, mask: [0]) }
        #expect(throws: InferenceError.self) { try sample(.greedy, mask: [1, 1]) }
    }

    @Test("penalties and bias change logits in the documented order")
    func penalties() throws {
        // Negative logits are multiplied: token 3 falls behind token 1.
        #expect(try sample(SamplingParameters(repetitionPenalty: 3), tokens: [3]).token == 1)
        // Positive ones are divided.
        #expect(try sample(SamplingParameters(repetitionPenalty: 3), logits: [2, 1], tokens: [0]).token == 1)
        // Presence and frequency count generated tokens only.
        let presence = SamplingParameters(presencePenalty: 1)
        #expect(try sample(presence, tokens: [3], promptCount: 1).token == 3)
        #expect(try sample(presence, tokens: [1, 3], promptCount: 1).token == 1)
        let frequency = SamplingParameters(frequencyPenalty: 0.3)
        #expect(try sample(frequency, tokens: [3, 3], promptCount: 0).token == 3)
        #expect(try sample(frequency, tokens: [3, 3, 3], promptCount: 0).token == 1)
        let bias = SamplingParameters(logitBias: [TokenLogitBias(token: 4, bias: 10)])
        #expect(try sample(bias).token == 4)
        let ban = SamplingParameters(logitBias: [TokenLogitBias(token: 3, bias: -.infinity)])
        #expect(try sample(ban).token == 1)
    }

    @Test("penalties see the tokens up to the sampled position and none after")
    func penaltiesByPosition() throws {
        let parameters = SamplingParameters(repetitionPenalty: 3)
        #expect(try sample(parameters, tokens: [0, 3], position: 0).token == 3)
        #expect(try sample(parameters, tokens: [0, 3], position: 1).token == 1)
    }

    @Test("logprobs are of the unmodified logits, the best first")
    func logprobs() throws {
        let parameters = SamplingParameters(
            logitBias: [TokenLogitBias(token: 4, bias: 10)], topLogprobCount: 3)
        let accepted = try sample(parameters)
        #expect(accepted.token == 4)
        #expect(abs(accepted.logprob - -2.7725887) < 1e-5)
        #expect(accepted.top.map(\.token) == [3, 1, 0])
        #expect(abs((accepted.top.first?.logprob ?? 0) - -0.6931472) < 1e-5)
    }

    @Test("random numbers depend on seed, choice and position, and on nothing else")
    func randomness() throws {
        let drawn = { (seed: UInt64, choice: Int) in
            try (0..<40).map {
                try sample(SamplingParameters(temperature: 1, seed: seed), position: $0, choice: choice).token
            }
        }
        #expect(try drawn(1, 0) == drawn(1, 0))
        #expect(try drawn(1, 0) != drawn(2, 0))
        #expect(try drawn(1, 0) != drawn(1, 1))
    }

    @Test("the generator's numbers are even and stay fixed")
    func generator() {
        let numbers = (0..<10000).map { CounterRandom.uniform(seed: 42, choice: 0, position: $0) }
        #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(numbers.reduce(0, +) / 10000 - 0.5) < 0.01)
        for tenth in 0..<10 {
            let count = numbers.count { $0 >= Float(tenth) / 10 && $0 < Float(tenth + 1) / 10 }
            #expect(abs(count - 1000) < 120)
        }
    }

    @Test("a large vocabulary is ordered as a plain sort orders it", arguments: [1, 100, 129, 5000])
    func order(count: Int) {
        var random = TestRandom(seed: 3)
        // Few values, so that many are equal.
        let logits = (0..<5000).map { _ in (8 * random.signed()).rounded() / 2 }
        let expected = logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(count)
        var order = CandidateOrder(capacity: 5000)
        let got = order.best(count, of: logits)
        #expect(got == expected.map { TokenID($0) })
    }

    @Test("the sampler state of a result brings a replay to the same penalties")
    func replay() throws {
        let parameters = SamplingParameters(presencePenalty: 1)
        var sampling = try SequenceSampling(SequenceStart(tokens: [0, 1], sampling: parameters))
        sampling.set(3, at: 2)
        #expect(sampling.state.count <= SequenceResult.samplerStateBytesMax)
        let replayed = try SequenceSampling(
            SequenceStart(tokens: [0, 1, 3], sampling: parameters, samplerState: sampling.state))
        #expect(replayed.promptCount == 2)
        #expect(replayed.tokens == sampling.tokens)
        #expect(throws: InferenceError.self) {
            try SequenceSampling(SequenceStart(tokens: [0], samplerState: sampling.state))
        }
        #expect(throws: InferenceError.self) {
            try SequenceSampling(SequenceStart(tokens: [0], samplerState: [1, 2]))
        }
    }

    @Test("numbers that no distribution has are refused")
    func parameters() {
        let wrong = [
            SamplingParameters(temperature: -1), SamplingParameters(temperature: .nan), SamplingParameters(topK: -1),
            SamplingParameters(topP: 0), SamplingParameters(topP: 1.5), SamplingParameters(minP: -0.1),
            SamplingParameters(repetitionPenalty: 0.009), SamplingParameters(repetitionPenalty: 100.5),
            SamplingParameters(presencePenalty: .infinity),
            SamplingParameters(logitBias: [TokenLogitBias(token: 1, bias: .nan)]),
        ]
        for parameters in wrong {
            #expect(throws: InferenceError.self) { try parameters.check() }
        }
    }
}
