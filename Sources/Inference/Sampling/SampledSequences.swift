import Sharding

/// What the last stage knows of a sequence to choose its tokens.
struct SequenceSampling: Sendable {
    var parameters: SamplingParameters
    var choice: Int
    /// By position; penalties see those up to the sampled row.
    var tokens: [TokenID]
    /// Tokens of the request's prompt; what follows was generated.
    var promptCount: Int

    private static let stateVersion: UInt8 = 1

    init(_ start: SequenceStart) throws(InferenceError) {
        parameters = start.sampling
        choice = start.choice
        tokens = start.tokens
        promptCount = start.tokens.count
        guard !start.samplerState.isEmpty else { return }
        let state = start.samplerState
        guard state.count == 9, state[0] == Self.stateVersion else {
            throw InferenceError(
                .invalidStep, place: "sampler state",
                "expected 9 bytes of version \(Self.stateVersion), got \(state.count) bytes")
        }
        let count = state[1...].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard count <= UInt64(tokens.count) else {
            throw InferenceError(
                .invalidStep, place: "sampler state",
                "expected a prompt of at most \(tokens.count) tokens, got \(count)")
        }
        promptCount = Int(count)
    }

    /// What a replay must know beyond the tokens: where the prompt ended. A version byte, then 8 bytes little-endian.
    var state: [UInt8] {
        [Self.stateVersion] + (0..<8).map { UInt8(truncatingIfNeeded: promptCount >> (8 * $0)) }
    }

    /// The row's token is the one at its position from now on.
    mutating func set(_ token: TokenID, at position: Int) {
        if position < tokens.count {
            tokens[position] = token
        } else if position == tokens.count {
            tokens.append(token)
        }
    }
}

/// The sequences that a last stage samples for.
final class SampledSequences {
    private var sequences: [SequenceID: SequenceSampling] = [:]

    func begin(_ sequence: SequenceID, _ start: SequenceStart) throws(InferenceError) {
        sequences[sequence] = try SequenceSampling(start)
    }

    func fork(_ parent: SequenceID, to child: SequenceID, choice: Int, length: Int) {
        guard var sampling = sequences[parent] else { return }
        sampling.choice = choice
        sampling.tokens.removeSubrange(min(length, sampling.tokens.count)...)
        sequences[child] = sampling
    }

    func truncate(_ sequence: SequenceID, to length: Int) {
        guard let count = sequences[sequence]?.tokens.count, length < count else { return }
        sequences[sequence]?.tokens.removeSubrange(length...)
    }

    func free(_ sequence: SequenceID) { sequences[sequence] = nil }
    func removeAll() { sequences.removeAll() }

    /// Takes the tokens of rows that follow each other from `position` on.
    func extend(_ sequence: SequenceID, from position: Int, by rows: ArraySlice<StepRow>) throws(InferenceError) {
        guard sequences[sequence] != nil else {
            throw InferenceError(
                .invalidStep, place: "sequence \(sequence)", "expected a sequence that began, it did not")
        }
        for (offset, row) in rows.enumerated() { sequences[sequence]?.set(row.token, at: position + offset) }
    }

    /// - Precondition: the sequence has rows in the current step.
    func sampling(of sequence: SequenceID) -> SequenceSampling {
        guard let sampling = sequences[sequence] else { preconditionFailure("a row's sequence has begun") }
        return sampling
    }
}
