/// What is timed: so many tokens, read or written, at some depth of the context.
package struct BenchmarkTest: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// Tokens of a prompt, many in a step; the last one's logits are wanted.
        case prompt
        /// Tokens that are sampled one after the other, one step each.
        case generate
    }

    package var kind: Kind
    /// Of each sequence.
    package var tokenCount: Int
    /// Positions that each sequence has in the cache before the time starts.
    package var depth: Int
    /// Sequences that generate at once; 1 for prompts, which fill their steps alone.
    package var sequenceCount: Int

    package init(_ kind: Kind, tokenCount: Int, depth: Int = 0, sequenceCount: Int = 1) {
        self.kind = kind
        self.tokenCount = tokenCount
        self.depth = depth
        self.sequenceCount = sequenceCount
    }

    /// Tokens of all sequences.
    package var tokenCountTotal: Int { tokenCount * sequenceCount }
    /// Positions of one sequence at the end.
    package var positionCount: Int { depth + tokenCount }

    /// `generate 128 at depth 8192, 8 sequences`.
    package var name: String {
        "\(kind.rawValue) \(tokenCount)" + (depth > 0 ? " at depth \(depth)" : "")
            + (sequenceCount > 1 ? ", \(sequenceCount) sequences" : "")
    }
}

/// How a model is run; the same work in each.
package enum BenchmarkMode: String, Sendable, Hashable, CaseIterable, Codable {
    /// In one process, all weights in memory.
    case simple
    /// In one process, within a budget of memory: what does not fit is read from disk for each step.
    case memoryEfficient = "memory-efficient"
    /// Over two worker processes on this machine.
    case distributed
}
