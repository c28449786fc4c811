import Sharding

/// What the last stage knows of a sequence to choose its tokens.
struct SequenceSampling: Sendable {
    var parameters: SamplingParameters
    var choice: Int
    /// By position; penalties see those up to the sampled row.
    var tokens: [TokenID]
    /// Tokens of the request's prompt; what follows was generated.
    let promptCount: Int
    /// What a replay must know beyond the tokens: where the prompt ended. A version byte, then 8 bytes little-endian.
    let state: [UInt8]

    private static let stateVersion: UInt8 = 1

    /// - Parameter contextLength: tokens that it has room for at once, 4 bytes each.
    init(_ start: SequenceStart, contextLength: Int = 0) throws(InferenceError) {
        parameters = start.sampling
        choice = start.choice
        tokens = start.tokens
        promptCount = try Self.promptCount(start)
        state =
            [Self.stateVersion] + (0..<8).map { [promptCount] in UInt8(truncatingIfNeeded: promptCount >> (8 * $0)) }
        reserve(contextLength)
    }

    /// Makes room for a whole context, so that no step allocates.
    mutating func reserve(_ contextLength: Int) { tokens.reserveCapacity(contextLength) }

    private static func promptCount(_ start: SequenceStart) throws(InferenceError) -> Int {
        let state = start.samplerState
        guard !state.isEmpty else { return start.tokens.count }
        guard state.count == 9, state[0] == stateVersion else {
            throw InferenceError(
                .invalidStep, place: "sampler state",
                "expected 9 bytes of version \(stateVersion), got \(state.count) bytes")
        }
        let count = state[1...].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard count <= UInt64(start.tokens.count) else {
            throw InferenceError(
                .invalidStep, place: "sampler state",
                "expected a prompt of at most \(start.tokens.count) tokens, got \(count)")
        }
        return Int(count)
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

/// The sequences of a last stage: what it samples by, and the means that it takes.
final class SampledSequences {
    /// So that a step changes a sequence in place: changing a value inside a dictionary allocates.
    private final class Entry {
        var sampling: SequenceSampling
        /// From the first row on that is pooled.
        var mean: HiddenMean?

        init(_ sampling: SequenceSampling) { self.sampling = sampling }
    }

    private var sequences: [SequenceID: Entry] = [:]
    private let contextLength: Int

    init(contextLength: Int) { self.contextLength = contextLength }

    func begin(_ sequence: SequenceID, _ start: SequenceStart) throws(InferenceError) {
        sequences[sequence] = Entry(try SequenceSampling(start, contextLength: contextLength))
    }

    /// Its mean goes: what of it came from later positions is not known any more.
    func truncate(_ sequence: SequenceID, to length: Int) {
        guard let entry = sequences[sequence], length < entry.sampling.tokens.count else { return }
        entry.sampling.tokens.removeSubrange(length...)
        entry.mean = nil
    }

    func free(_ sequence: SequenceID) { sequences[sequence] = nil }
    func removeAll() { sequences.removeAll() }

    /// Takes the tokens of rows that follow each other from `position` on.
    func extend(_ sequence: SequenceID, from position: Int, by rows: ArraySlice<StepRow>) throws(InferenceError) {
        guard let entry = sequences[sequence] else {
            throw InferenceError(
                .invalidStep, place: "sequence \(sequence)", "expected a sequence that began, it did not")
        }
        for (offset, row) in rows.enumerated() { entry.sampling.set(row.token, at: position + offset) }
    }

    /// - Precondition: the sequence has rows in the current step.
    func sampling(of sequence: SequenceID) -> SequenceSampling { entry(of: sequence).sampling }

    /// Takes a row into its sequence's mean.
    ///
    /// - Parameter hidden: `[hiddenSize]`, after the output norm.
    /// - Returns: the mean up to here where the row wants it.
    /// - Precondition: the sequence has rows in the current step.
    func pool(_ row: StepRow, hidden: UnsafeBufferPointer<Float>) throws(InferenceError) -> [Float]? {
        let entry = entry(of: row.sequence)
        if entry.mean == nil { entry.mean = HiddenMean(hiddenSize: hidden.count) }
        try entry.mean?.add(row, hidden: hidden)
        return row.output == .mean ? entry.mean?.value : nil
    }

    private func entry(of sequence: SequenceID) -> Entry {
        guard let entry = sequences[sequence] else { preconditionFailure("a row's sequence has begun") }
        return entry
    }
}
