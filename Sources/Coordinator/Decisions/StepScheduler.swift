import Collections
import Inference
import Sharding

/// Decides what runs next: admits requests by cache memory, packs rows of several sequences into steps, and turns
/// results into events. It knows one epoch at a time and no workers.
///
/// Decode rows go first; what room is left takes prompts in chunks. Steps in flight are bounded by the pipeline's
/// depth, and the sequences that decode are spread over them, so that every stage has work. A prompt that begins like
/// a sequence whose state the stages still hold begins with that state.
struct StepScheduler: Sendable {
    struct StepInFlight: Sendable {
        var id: UInt64
        var rows: [StepRow]
        /// Of prompts, at the end of the rows.
        var promptRowCount: Int
        var sentAt: Duration

        var decodeRowCount: Int { rows.count - promptRowCount }
    }

    let capacity: ClusterSettings.Capacity
    var epoch: Epoch?
    /// Workers that compute at the same time.
    var depth = 1
    /// Rows of a step, as far as the links have a say.
    var rowsMax = Int.max
    /// Rows of a prompt's chunks while nobody generates.
    var chunkRows = Int.max
    var nextStep: UInt64 = 1
    var nextSequence: UInt64 = 1
    var active: [SequenceID: ActiveSequence] = [:]
    /// Turns of the active sequences; the front is served first.
    var turns: Deque<SequenceID> = []
    /// In the order of their arrival, those that had to stop for others first.
    var waiting: Deque<ActiveSequence> = []
    var inFlight: Deque<StepInFlight> = []
    /// Sequences that have begun since it was last asked.
    var begun: [SequenceEvent] = []
    /// Forgotten here; the stages are told with the next step.
    var frees: [SequenceID] = []
    var ledger: CacheLedger
    var prefixes = PrefixIndex()
    /// Tokens of sequences that have ended, and whose state the stages hold on to; the one used longest ago first.
    var retained: OrderedDictionary<SequenceID, [TokenID]> = [:]
    var pace: PromptPace
    var dealing = StepDealing(depth: 1, machineCount: 1)
    /// When a stage last showed that it works, or a step was sent to an empty pipeline.
    var lastProgress: Duration = .zero

    init(capacity: ClusterSettings.Capacity) {
        self.capacity = capacity
        ledger = CacheLedger(positions: capacity.cachePositions, blockPositions: capacity.blockPositions)
        pace = PromptPace(gapMax: capacity.gapMax)
    }

    var isIdle: Bool { active.isEmpty && waiting.isEmpty }

    /// Starts sending steps in an epoch whose stages hold no sequences yet.
    ///
    /// - Parameters:
    ///   - depth: workers that a step passes.
    ///   - machineCount: on which those run; nil: one for each.
    mutating func start(
        epoch: Epoch, depth: Int, machineCount: Int? = nil, rowsMax: Int = .max, chunkRows: Int = .max, now: Duration
    ) {
        precondition(active.isEmpty && inFlight.isEmpty, "An epoch starts without sequences.")
        forgetStates()
        self.epoch = epoch
        self.depth = max(1, depth)
        self.rowsMax = rowsMax
        self.chunkRows = chunkRows
        nextStep = 1
        pace = PromptPace(gapMax: capacity.gapMax)
        dealing = StepDealing(depth: self.depth, machineCount: machineCount ?? self.depth)
        lastProgress = now
    }

    mutating func noteProgress(now: Duration) { lastProgress = max(lastProgress, now) }

    // MARK: Requests

    /// Takes a request in; it begins when there is room.
    mutating func submit(
        _ request: TokenRequest, kind: ActiveSequence.Kind
    ) throws(EngineError) -> SequenceID {
        try check(request, kind: kind)
        guard waiting.count < capacity.queueMax || (waiting.isEmpty && active.count < capacity.maxSequences) else {
            throw EngineError(
                .overloaded,
                "the queue is full (\(waiting.count) waiting, \(active.count) running); try again later")
        }
        let id = SequenceID(nextSequence)
        nextSequence += 1
        waiting.append(ActiveSequence(id: id, kind: kind, request: request, generatedMax: generatedMax(of: request)))
        return id
    }

    private func generatedMax(of request: TokenRequest) -> Int {
        let room = capacity.contextLength - request.prompt.count
        return min(request.maxTokens ?? room, room)
    }

    private func check(_ request: TokenRequest, kind: ActiveSequence.Kind) throws(EngineError) {
        let field = kind == .embed ? "tokens" : "prompt"
        if let token = request.prompt.first(where: { $0 < 0 || Int($0) >= capacity.vocabularySize }) {
            throw EngineError(
                .invalidRequest,
                "\(field): expected tokens from 0 to \(capacity.vocabularySize - 1), got \(token)")
        }
        guard kind != .diagnostic else { return }
        guard !request.prompt.isEmpty else {
            throw EngineError(.invalidRequest, "\(field): expected at least 1 token, got 0")
        }
        if kind == .embed { return try checkRoom(for: request) }
        if let count = request.maxTokens, count < 1 {
            throw EngineError(.invalidRequest, "max_tokens: expected at least 1, got \(count)")
        }
        do {
            try request.sampling.check()
        } catch {
            throw EngineError(.invalidRequest, "\(error)")
        }
        guard request.prompt.count < capacity.contextLength else {
            throw EngineError(
                .contextLengthExceeded,
                "prompt: expected fewer than \(capacity.contextLength) tokens (the context), got "
                    + "\(request.prompt.count); shorten it or raise model.context")
        }
        // Alone, every sequence can come to its end.
        let needed = capacity.reserved(request.prompt.count + generatedMax(of: request))
        guard needed <= capacity.cachePositions else {
            throw EngineError(
                .contextLengthExceeded,
                "request: needs \(needed) cache positions, there are \(capacity.cachePositions); lower max_tokens")
        }
    }

    /// Nothing follows what is embedded.
    private func checkRoom(for embedded: TokenRequest) throws(EngineError) {
        let count = embedded.prompt.count
        let positionsMax = min(capacity.contextLength, capacity.cachePositions)
        guard count <= positionsMax else {
            throw EngineError(
                .contextLengthExceeded,
                "tokens: expected at most \(positionsMax) (the context), got \(count); shorten the text or raise "
                    + "model.context")
        }
    }

    /// Adds a chunk to a diagnostic, one at a time, at most ``ClusterSettings/Capacity/maxRows`` tokens.
    mutating func append(_ chunk: [TokenID], to id: SequenceID) throws(EngineError) {
        if let token = chunk.first(where: { $0 < 0 || Int($0) >= capacity.vocabularySize }) {
            throw EngineError(
                .invalidRequest, "tokens: expected tokens from 0 to \(capacity.vocabularySize - 1), got \(token)")
        }
        guard !chunk.isEmpty, chunk.count <= capacity.maxRows else {
            throw EngineError(.invalidRequest, "chunk: expected 1 to \(capacity.maxRows) tokens, got \(chunk.count)")
        }
        guard var sequence = self[id] else { throw EngineError(.failed, "sequence \(id): has ended") }
        guard sequence.kind == .diagnostic, sequence.pendingCount == 0, !sequence.awaitsOutput else {
            throw EngineError(.invalidRequest, "sequence \(id): expected one chunk at a time")
        }
        guard sequence.tokens.count + chunk.count <= capacity.contextLength else {
            throw EngineError(
                .contextLengthExceeded,
                "tokens: expected at most \(capacity.contextLength) (the context), got "
                    + "\(sequence.tokens.count + chunk.count)")
        }
        sequence.append(diagnostic: chunk)
        self[id] = sequence
    }

    /// Ends a sequence early; nil when it has ended already.
    mutating func cancel(_ id: SequenceID, now: Duration) -> SequenceEvent? {
        guard let sequence = self[id] else { return nil }
        end(id)
        return .finished(id, .cancelled, sequence.timings(at: now))
    }

    /// Ends everything: what has begun with one error, what waits with another. The epoch is over.
    mutating func failAll(begun: EngineError, waiting queued: EngineError) -> [SequenceEvent] {
        let events =
            active.keys.sorted().map { SequenceEvent.failed($0, begun) }
            + waiting.map { SequenceEvent.failed($0.id, $0.hasRun ? begun : queued) }
        active.removeAll()
        turns.removeAll()
        waiting.removeAll()
        inFlight.removeAll()
        self.begun.removeAll()
        forgetStates()
        epoch = nil
        return events
    }

    // MARK: Sequences

    /// A sequence that has not ended.
    subscript(id: SequenceID) -> ActiveSequence? {
        get { active[id] ?? waiting.first { $0.id == id } }
        set {
            if active[id] != nil {
                active[id] = newValue
            } else if let index = waiting.firstIndex(where: { $0.id == id }), let newValue {
                waiting[index] = newValue
            }
        }
    }

    /// Ends a sequence here. The stages hold on to its state, where that may be of use to others, until the room is needed.
    ///
    /// - Parameter keepsState: false for what went wrong.
    mutating func end(_ id: SequenceID, keepsState: Bool = true) {
        waiting.removeAll { $0.id == id }
        guard let sequence = active.removeValue(forKey: id) else { return }
        turns.removeAll { $0 == id }
        if keepsState, capacity.sharesPrefixes, sequence.kind == .generate, sequence.sentCount >= PrefixIndex.stride {
            ledger.trim(id, to: sequence.sentCount)
            retained[id] = Array(sequence.tokens.prefix(sequence.sentCount))
            if retained.count > Self.retainedMax { frees.append(forgetOldestState()) }
        } else {
            forgetState(of: id)
            frees.append(id)
        }
    }

    /// Sequences whose state is held on to after their end; each has its tokens at the last stage too.
    private static let retainedMax = 64

    /// What the stages hold of a sequence; they are still to be told to free it.
    mutating func forgetState(of id: SequenceID) {
        ledger.release(id)
        prefixes.forget(id)
        retained[id] = nil
    }

    /// - Precondition: some state is retained.
    mutating func forgetOldestState() -> SequenceID {
        guard let oldest = retained.keys.first else { preconditionFailure("some state is retained") }
        forgetState(of: oldest)
        return oldest
    }

    /// The stages' caches are empty.
    private mutating func forgetStates() {
        ledger = CacheLedger(positions: capacity.cachePositions, blockPositions: capacity.blockPositions)
        prefixes = PrefixIndex()
        retained.removeAll()
        frees.removeAll()
    }
}
