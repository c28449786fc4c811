/// A token with the natural logarithm of its probability under the unmodified logits.
package struct TokenLogprob: Sendable, Hashable {
    package var token: TokenID
    package var logprob: Float

    package init(token: TokenID, logprob: Float) {
        self.token = token
        self.logprob = logprob
    }
}

/// A token that the last stage chose.
package struct AcceptedToken: Sendable, Hashable {
    package var token: TokenID
    package var logprob: Float
    /// The most probable tokens, best first; as many as `SamplingParameters.topLogprobCount` asks for.
    package var top: [TokenLogprob]

    package init(token: TokenID, logprob: Float, top: [TokenLogprob] = []) {
        self.token = token
        self.logprob = logprob
        self.top = top
    }
}

/// What a step brought for one sequence.
package struct SequenceResult: Sendable, Hashable {
    /// At most this many bytes of sampler state travel with a result.
    package static let samplerStateBytesMax = 64

    package var sequence: SequenceID
    /// Position that the first of `tokens` takes in the sequence.
    package var position: Int
    package var outcome: Outcome
    /// Opaque; kept by the coordinator and returned with `begin` at a replay.
    package var samplerState: [UInt8]

    package enum Outcome: Sendable, Hashable {
        /// One or more accepted tokens.
        case tokens([AcceptedToken])
        /// The mean of the hidden states of all positions before `position`, after the output norm: `[hiddenSize]`.
        ///
        /// Each element is summed in f32, position by position from 0, and divided once: the same bits however the
        /// sequence was cut into steps.
        case mean([Float])
        /// This request cannot go on: a hidden state or a logit is not finite, say. One line, for the client.
        case failed(String)
    }

    package init(sequence: SequenceID, position: Int, outcome: Outcome, samplerState: [UInt8] = []) {
        self.sequence = sequence
        self.position = position
        self.outcome = outcome
        self.samplerState = samplerState
    }
}

/// What the last stage returns for a step: results, and the logits of rows that asked for them.
package struct StepResult: Sendable, Hashable {
    package var step: UInt64
    package var sequences: [SequenceResult]
    /// Logits `[rows that asked, vocabularySize]` in row order; empty when no row asked.
    package var logits: [Float]
    /// Time that each stage computed, in stage order, nanoseconds (first to last).
    package var stageNanoseconds: [UInt64]

    package init(
        step: UInt64, sequences: [SequenceResult], logits: [Float] = [], stageNanoseconds: [UInt64] = []
    ) {
        self.step = step
        self.sequences = sequences
        self.logits = logits
        self.stageNanoseconds = stageNanoseconds
    }
}
