import Sharding

/// What one process runs next: a value, without clock, threads or model.
///
/// Each step has the next token of every sequence that generates, then pieces of prompts and of what is to be embedded
/// in order of arrival, as many rows as fit. A sequence is admitted when the cache can hold it to its end.
struct LocalSchedule {
    struct Limits: Sendable {
        var contextLength: Int
        var rowsMax: Int
        /// Sequences that compute at once.
        var sequencesMax: Int
        /// Sequences that wait.
        var queueMax: Int
        var cacheBlockCount: Int
    }

    enum Request: Sendable {
        case generate(TokenRequest)
        case embed(EmbeddingRequest)
    }

    enum Action {
        case deliver(SequenceID, AcceptedToken)
        case finish(SequenceID, FinishReason, GenerationTimings)
        case embed(SequenceID, Embedding)
        case fail(SequenceID, EngineError)
    }

    private struct Entry {
        let id: SequenceID
        let sampling: SamplingParameters
        let choice: Int
        let promptCount: Int
        let endTokens: Set<TokenID>
        let isEmbedding: Bool
        /// Prompt and generated.
        var tokens: [TokenID]
        /// Tokens that have had their row.
        var computedCount = 0
        let tokensMax: Int
        var started: Duration?
        var firstToken: Duration?

        var generatedCount: Int { tokens.count - promptCount }
        var blocksMax: Int { KVCache.blocksNeeded(positions: tokensMax) }

        init(_ request: Request, as id: SequenceID, limits: Limits) {
            self.id = id
            switch request {
            case .generate(let request):
                sampling = request.sampling
                choice = request.choice
                endTokens = request.endTokens
                isEmbedding = false
                tokens = request.prompt
                let room = limits.contextLength - tokens.count
                tokensMax = tokens.count + min(request.maxTokens ?? room, room)
            case .embed(let request):
                sampling = .greedy
                choice = 0
                endTokens = []
                isEmbedding = true
                tokens = request.tokens
                tokensMax = tokens.count
            }
            promptCount = tokens.count
        }

        /// What the row of a position returns.
        func output(at position: Int) -> RowOutput {
            let isLast = position == tokens.count - 1
            return isEmbedding ? (isLast ? .mean : .pooled) : (isLast ? .token : .none)
        }
    }

    private let limits: Limits
    private var waiting: [Entry] = []
    private var active: [Entry] = []
    private var toFree: [SequenceID] = []
    private var stepID: UInt64 = 0

    init(limits: Limits) { self.limits = limits }

    var isIdle: Bool { waiting.isEmpty && active.isEmpty && toFree.isEmpty }

    /// Queues a request that ``check(_:limits:vocabularySize:)`` accepted; false when the queue is full.
    mutating func add(_ request: Request, as id: SequenceID) -> Bool {
        guard waiting.count < limits.queueMax else { return false }
        waiting.append(Entry(request, as: id, limits: limits))
        return true
    }

    mutating func cancel(_ id: SequenceID) {
        waiting.removeAll { $0.id == id }
        guard let index = active.firstIndex(where: { $0.id == id }) else { return }
        active.remove(at: index)
        toFree.append(id)
    }

    /// Takes everything out; returns whose streams must end.
    mutating func removeAll() -> [SequenceID] {
        defer {
            waiting = []
            active = []
            toFree = []
        }
        return (waiting + active).map(\.id)
    }

    /// The next step; nil when there is nothing to do.
    mutating func nextStep(now: Duration) -> Step? {
        if isIdle { return nil }
        var operations = toFree.map { SequenceOperation.free($0) }
        toFree = []
        admit(into: &operations, now: now)
        stepID += 1
        var rows: [StepRow] = []
        for index in active.indices where active[index].generatedCount > 0 {
            addRows(of: index, to: &rows)
        }
        for index in active.indices where active[index].generatedCount == 0 {
            addRows(of: index, to: &rows)
        }
        return Step(id: stepID, operations: operations, rows: rows)
    }

    private mutating func admit(into operations: inout [SequenceOperation], now: Duration) {
        var freeBlocks = limits.cacheBlockCount - active.reduce(0) { $0 + $1.blocksMax }
        while active.count < limits.sequencesMax, let next = waiting.first, next.blocksMax <= freeBlocks {
            freeBlocks -= next.blocksMax
            var entry = waiting.removeFirst()
            entry.started = now
            active.append(entry)
            operations.append(
                .begin(
                    entry.id,
                    SequenceStart(tokens: entry.tokens, sampling: entry.sampling, choice: entry.choice)))
        }
    }

    private mutating func addRows(of index: Int, to rows: inout [StepRow]) {
        let entry = active[index]
        let count = min(entry.tokens.count - entry.computedCount, limits.rowsMax - rows.count)
        for position in entry.computedCount..<entry.computedCount + count {
            rows.append(
                StepRow(
                    sequence: entry.id, position: position, token: entry.tokens[position],
                    output: entry.output(at: position)))
        }
        active[index].computedCount += count
    }

    /// Takes the results of the last step.
    mutating func accept(_ result: StepResult, now: Duration) -> [Action] {
        var actions: [Action] = []
        for outcome in result.sequences {
            guard let index = active.firstIndex(where: { $0.id == outcome.sequence }) else { continue }
            switch outcome.outcome {
            case .failed(let message):
                actions.append(.fail(outcome.sequence, EngineError(.failed, message)))
                remove(at: index)
            case .tokens(let tokens):
                for token in tokens { actions.append(.deliver(outcome.sequence, token)) }
                active[index].tokens += tokens.map(\.token)
                if active[index].firstToken == nil { active[index].firstToken = now }
                if let reason = finishReason(of: active[index]) {
                    actions.append(.finish(outcome.sequence, reason, timings(of: active[index], now: now)))
                    remove(at: index)
                }
            case .mean(let values):
                actions.append(
                    .embed(outcome.sequence, Embedding(values: values, timings: timings(of: active[index], now: now))))
                remove(at: index)
            }
        }
        return actions
    }

    private mutating func remove(at index: Int) {
        toFree.append(active[index].id)
        active.remove(at: index)
    }

    private func finishReason(of entry: Entry) -> FinishReason? {
        if let last = entry.tokens.last, entry.endTokens.contains(last) { return .stop }
        return entry.tokens.count >= entry.tokensMax ? .length : nil
    }

    private func timings(of entry: Entry, now: Duration) -> GenerationTimings {
        let first = entry.firstToken ?? now
        return GenerationTimings(
            promptTokens: entry.promptCount, generatedTokens: entry.generatedCount,
            prompt: first - (entry.started ?? first), generation: now - first)
    }

    /// Refuses what can never run, with the numbers.
    static func check(_ request: TokenRequest, limits: Limits, vocabularySize: Int) throws(EngineError) {
        try check(request.prompt, "prompt", vocabularySize: vocabularySize)
        if let maxTokens = request.maxTokens, maxTokens < 1 {
            throw EngineError(.invalidRequest, "max_tokens: expected at least 1, got \(maxTokens)")
        }
        do {
            try request.sampling.check()
        } catch {
            throw EngineError(.invalidRequest, "\(error)")
        }
        guard request.prompt.count < limits.contextLength else {
            throw EngineError(
                .contextLengthExceeded,
                "prompt: \(request.prompt.count) tokens do not fit a context of \(limits.contextLength) "
                    + "with room for an answer")
        }
        let room = limits.contextLength - request.prompt.count
        let needed = KVCache.blocksNeeded(positions: request.prompt.count + min(request.maxTokens ?? room, room))
        guard needed <= limits.cacheBlockCount else {
            throw EngineError(
                .contextLengthExceeded,
                "prompt and answer need \(needed) cache blocks of 64 positions, there are \(limits.cacheBlockCount)")
        }
    }

    /// Refuses what can never run, with the numbers.
    static func check(_ request: EmbeddingRequest, limits: Limits, vocabularySize: Int) throws(EngineError) {
        try check(request.tokens, "tokens", vocabularySize: vocabularySize)
        guard request.tokens.count <= limits.contextLength else {
            throw EngineError(
                .contextLengthExceeded,
                "tokens: expected at most \(limits.contextLength) (the context), got \(request.tokens.count)")
        }
        let needed = KVCache.blocksNeeded(positions: request.tokens.count)
        guard needed <= limits.cacheBlockCount else {
            throw EngineError(
                .contextLengthExceeded,
                "tokens need \(needed) cache blocks of 64 positions, there are \(limits.cacheBlockCount)")
        }
    }

    private static func check(_ tokens: [TokenID], _ field: String, vocabularySize: Int) throws(EngineError) {
        guard !tokens.isEmpty else {
            throw EngineError(.invalidRequest, "\(field): expected at least one token, got none")
        }
        if let token = tokens.first(where: { $0 < 0 || Int($0) >= vocabularySize }) {
            throw EngineError(.invalidRequest, "\(field): expected tokens in 0..<\(vocabularySize), got \(token)")
        }
    }
}
