/// How a sequence's next token is chosen from its logits.
///
/// Applied in this order: repetition penalty, logit bias, token mask, temperature, top-k, top-p, min-p. Candidates
/// stand by (logit descending, id ascending); cumulative sums run in f32 in that order. The random number is a
/// function of (seed, choice, position) alone.
package struct SamplingParameters: Sendable, Hashable {
    /// 0 is greedy: the highest logit, of equals the lowest id.
    package var temperature: Float
    /// Keeps the best `topK`; 0 keeps all.
    package var topK: Int
    /// Keeps the smallest set whose probability reaches this; 1 keeps all.
    package var topP: Float
    /// Keeps tokens at least this times as probable as the best; 0 keeps all.
    package var minP: Float
    /// Divides positive and multiplies negative logits of tokens seen before; 1 changes nothing.
    package var repetitionPenalty: Float
    /// Subtracted once from the logit of each token that was generated before; 0 changes nothing.
    package var presencePenalty: Float
    /// Subtracted from a logit for each time its token was generated before; 0 changes nothing.
    package var frequencyPenalty: Float
    package var seed: UInt64
    /// Added to logits, ascending by token.
    package var logitBias: [TokenLogitBias]
    /// How many alternatives a result lists.
    package var topLogprobCount: Int

    /// What `repetitionPenalty` may be: beyond, logits would soon overflow.
    package static let repetitionPenaltyRange: ClosedRange<Float> = 0.01...100

    package static let greedy = SamplingParameters()

    package init(
        temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, repetitionPenalty: Float = 1,
        presencePenalty: Float = 0, frequencyPenalty: Float = 0, seed: UInt64 = 0,
        logitBias: [TokenLogitBias] = [], topLogprobCount: Int = 0
    ) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.seed = seed
        self.logitBias = logitBias
        self.topLogprobCount = topLogprobCount
    }
}

/// A number added to one token's logit.
package struct TokenLogitBias: Sendable, Hashable {
    package var token: TokenID
    package var bias: Float

    package init(token: TokenID, bias: Float) {
        self.token = token
        self.bias = bias
    }
}
