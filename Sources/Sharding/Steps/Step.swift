/// A token's number in the model's vocabulary.
package typealias TokenID = Int32

/// Names one sequence (one choice of one request) within a run of the coordinator; never used twice in a run.
package struct SequenceID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: SequenceID, right: SequenceID) -> Bool { left.rawValue < right.rawValue }
    package var description: String { String(rawValue) }
}

/// What the last stage returns for a row.
package enum RowOutput: Sendable, Hashable {
    /// Nothing: a prompt's row before the last.
    case none
    /// One sampled token.
    case token
    /// All logits, f32 (a diagnostic; serving never asks).
    case logits
    /// Nothing; its hidden state after the output norm joins the mean of its sequence, which takes rows from position 0
    /// on, each once.
    case pooled
    /// The same, and the mean up to here.
    case mean

    /// Whether the head is computed for the row.
    package var needsLogits: Bool { self == .token || self == .logits }
    /// Whether the row's hidden state joins its sequence's mean.
    package var isPooled: Bool { self == .pooled || self == .mean }
    package var returnsSomething: Bool { self != .none && self != .pooled }
}

/// One position of one sequence in a step.
package struct StepRow: Sendable, Hashable {
    package var sequence: SequenceID
    /// From 0; a row writes the state of its position, again with the same bits when it is repeated.
    package var position: Int
    package var token: TokenID
    package var output: RowOutput
    /// Bit set of allowed tokens, ⌈vocabulary ÷ 64⌉ words; nil allows all.
    package var tokenMask: [UInt64]?

    package init(
        sequence: SequenceID, position: Int, token: TokenID, output: RowOutput = .none, tokenMask: [UInt64]? = nil
    ) {
        self.sequence = sequence
        self.position = position
        self.token = token
        self.output = output
        self.tokenMask = tokenMask
    }
}

/// What a stage must know of a sequence before its first row.
package struct SequenceStart: Sendable, Hashable {
    /// All tokens so far, the prompt and what was generated before a replay; penalties see them.
    package var tokens: [TokenID]
    package var sampling: SamplingParameters
    /// Index of the choice within its request; keys the random generator with the seed and the position.
    package var choice: Int
    /// What an earlier last stage returned as its sampler state; empty at a fresh start.
    package var samplerState: [UInt8]
    /// Whose state stands for the first positions, so that rows follow from there; nil: they begin at 0.
    package var prefix: SharedPrefix?

    package init(
        tokens: [TokenID], sampling: SamplingParameters = .greedy, choice: Int = 0, samplerState: [UInt8] = [],
        prefix: SharedPrefix? = nil
    ) {
        self.tokens = tokens
        self.sampling = sampling
        self.choice = choice
        self.samplerState = samplerState
        self.prefix = prefix
    }
}

/// The first positions of a sequence, whose tokens another one begins with too.
package struct SharedPrefix: Sendable, Hashable {
    package var sequence: SequenceID
    package var length: Int

    package init(sequence: SequenceID, length: Int) {
        self.sequence = sequence
        self.length = length
    }
}

/// A change to a sequence's state, applied in step order at every stage, before the step's rows.
package enum SequenceOperation: Sendable, Hashable {
    case begin(SequenceID, SequenceStart)
    /// Forgets positions from `length` on.
    case truncate(SequenceID, length: Int)
    case free(SequenceID)
}

/// One batch through all stages: rows of several sequences, and changes to sequences; it may hold only the latter.
///
/// Rows of one sequence stand together with ascending positions. The hidden states `[rows, hiddenSize]` (f32,
/// row-major) travel beside it, not in it.
package struct Step: Sendable, Hashable {
    /// Ascending from 1 within an epoch.
    package var id: UInt64
    package var operations: [SequenceOperation]
    package var rows: [StepRow]

    package init(id: UInt64, operations: [SequenceOperation] = [], rows: [StepRow] = []) {
        self.id = id
        self.operations = operations
        self.rows = rows
    }
}
