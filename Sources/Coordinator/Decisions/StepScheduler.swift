import Collections
import Inference
import Sharding

/// Decides what runs next: admits requests by cache memory, packs rows of several sequences into steps, and turns
/// results into events. It knows one epoch at a time and no workers.
///
/// Decode rows go first; what room is left takes prompts in chunks. Steps in flight are bounded by the pipeline's
/// depth, and the sequences that decode are spread over them, so that every stage has work.
struct StepScheduler: Sendable {
    struct StepInFlight: Sendable {
        var id: UInt64
        var rows: [StepRow]
        var sentAt: Duration
    }

    let capacity: ClusterSettings.Capacity
    var epoch: Epoch?
    /// Workers that compute at the same time.
    var depth = 1
    /// Rows of a step, as far as the links have a say.
    var rowsMax = Int.max
    var nextStep: UInt64 = 1
    var nextSequence: UInt64 = 1
    var active: [SequenceID: ActiveSequence] = [:]
    /// Turns of the active sequences; the front is served first.
    var turns: Deque<SequenceID> = []
    var waiting: Deque<ActiveSequence> = []
    var inFlight: Deque<StepInFlight> = []
    var frees: [SequenceID] = []
    var usedPositions = 0
    /// When a stage last showed that it works, or a step was sent to an empty pipeline.
    var lastProgress: Duration = .zero

    init(capacity: ClusterSettings.Capacity) { self.capacity = capacity }

    var isIdle: Bool { active.isEmpty && waiting.isEmpty }

    /// Starts sending steps in an epoch whose stages hold no sequences yet.
    mutating func start(epoch: Epoch, depth: Int, rowsMax: Int = .max, now: Duration) {
        precondition(active.isEmpty && inFlight.isEmpty, "An epoch starts without sequences.")
        self.epoch = epoch
        self.depth = max(1, depth)
        self.rowsMax = rowsMax
        nextStep = 1
        frees.removeAll()
        usedPositions = 0
        lastProgress = now
    }

    mutating func noteProgress(now: Duration) { lastProgress = max(lastProgress, now) }

    /// Takes a request in; it begins when there is room.
    mutating func submit(
        _ request: TokenRequest, kind: ActiveSequence.Kind
    ) throws(EngineError) -> SequenceID {
        try check(request, kind: kind)
        guard waiting.count < capacity.queueMax || (waiting.isEmpty && hasRoom(for: reservation(request, kind))) else {
            throw EngineError(
                .overloaded,
                "the queue is full (\(waiting.count) waiting, \(active.count) running); try again later")
        }
        let id = SequenceID(nextSequence)
        nextSequence += 1
        let room = capacity.contextLength - request.prompt.count
        waiting.append(
            ActiveSequence(
                id: id, kind: kind, request: request, generatedMax: min(request.maxTokens ?? room, room),
                reservedPositions: reservation(request, kind)))
        return id
    }

    private func check(_ request: TokenRequest, kind: ActiveSequence.Kind) throws(EngineError) {
        if let token = request.prompt.first(where: { $0 < 0 || Int($0) >= capacity.vocabularySize }) {
            throw EngineError(
                .invalidRequest,
                "prompt: expected tokens from 0 to \(capacity.vocabularySize - 1), got \(token)")
        }
        guard kind == .generate else { return }
        guard !request.prompt.isEmpty else {
            throw EngineError(.invalidRequest, "prompt: expected at least 1 token, got 0")
        }
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
        let needed = reservation(request, kind)
        guard needed <= capacity.cachePositions else {
            throw EngineError(
                .contextLengthExceeded,
                "request: needs \(needed) cache positions, there are \(capacity.cachePositions); lower max_tokens")
        }
    }

    private func reservation(_ request: TokenRequest, _ kind: ActiveSequence.Kind) -> Int {
        guard kind == .generate else { return capacity.reserved(capacity.contextLength) }
        let room = capacity.contextLength - request.prompt.count
        return capacity.reserved(request.prompt.count + min(request.maxTokens ?? room, room))
    }

    func hasRoom(for positions: Int) -> Bool {
        active.count < capacity.maxSequences && usedPositions + positions <= capacity.cachePositions
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
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            try Self.append(chunk, to: &waiting[index], contextLength: capacity.contextLength)
        } else if var sequence = active[id] {
            try Self.append(chunk, to: &sequence, contextLength: capacity.contextLength)
            active[id] = sequence
        } else {
            throw EngineError(.failed, "sequence \(id): has ended")
        }
    }

    private static func append(
        _ chunk: [TokenID], to sequence: inout ActiveSequence, contextLength: Int
    ) throws(EngineError) {
        guard sequence.kind == .diagnostic, sequence.pendingCount == 0, !sequence.awaitsOutput else {
            throw EngineError(.invalidRequest, "sequence \(sequence.id): expected one chunk at a time")
        }
        guard sequence.tokens.count + chunk.count <= contextLength else {
            throw EngineError(
                .contextLengthExceeded,
                "tokens: expected at most \(contextLength) (the context), got \(sequence.tokens.count + chunk.count)")
        }
        sequence.append(diagnostic: chunk)
    }

    /// Ends a sequence early; nil when it has ended already.
    mutating func cancel(_ id: SequenceID, now: Duration) -> SequenceEvent? {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            let sequence = waiting.remove(at: index)
            return .finished(id, .cancelled, sequence.timings(at: now))
        }
        guard let sequence = active[id] else { return nil }
        end(id)
        return .finished(id, .cancelled, sequence.timings(at: now))
    }

    /// Ends everything: what has begun with one error, what waits with another. The epoch is over.
    mutating func failAll(begun: EngineError, waiting queued: EngineError) -> [SequenceEvent] {
        let events =
            active.keys.sorted().map { SequenceEvent.failed($0, begun) }
            + waiting.map { SequenceEvent.failed($0.id, queued) }
        active.removeAll()
        turns.removeAll()
        waiting.removeAll()
        inFlight.removeAll()
        frees.removeAll()
        usedPositions = 0
        epoch = nil
        return events
    }

    /// Forgets a sequence here; its state in the stages goes with the next step.
    mutating func end(_ id: SequenceID) {
        guard let sequence = active.removeValue(forKey: id) else { return }
        turns.removeAll { $0 == id }
        if sequence.hasBegun {
            frees.append(id)
        }
        usedPositions -= sequence.reservedPositions
    }
}
