import Sharding

/// A request that was admitted: its tokens, and how far its rows have been sent.
struct ActiveSequence: Sendable {
    enum Kind: Sendable, Hashable {
        case generate
        /// Logits of given tokens, a chunk at a time; nothing is sampled.
        case diagnostic
        /// The mean of the hidden states of given tokens.
        case embed
    }

    let id: SequenceID
    let kind: Kind
    let request: TokenRequest
    /// Tokens that it may generate at most.
    let generatedMax: Int
    /// The prompt, and what was generated; a diagnostic's chunks.
    private(set) var tokens: [TokenID]
    /// Positions that the stages hold, or will when the steps that were sent have passed.
    var sentCount = 0
    /// Positions of the prompt that the stages held before its first row.
    private(set) var cachedCount = 0
    /// What the last stage returned with its last token.
    var samplerState: [UInt8] = []
    /// A row that asks for a token, for logits or for a mean is on its way.
    var awaitsOutput = false
    private(set) var timing = Timing()

    struct Timing: Sendable {
        var started: Duration?
        var firstToken: Duration?
        var wireBytes = 0
    }

    init(id: SequenceID, kind: Kind, request: TokenRequest, generatedMax: Int) {
        self.id = id
        self.kind = kind
        self.request = request
        self.generatedMax = generatedMax
        tokens = request.prompt
    }

    var promptCount: Int { kind == .diagnostic ? tokens.count : request.prompt.count }
    var generatedCount: Int { tokens.count - promptCount }
    /// Rows that can be sent now.
    var pendingCount: Int { tokens.count - sentCount }
    /// Only its last token is missing, so its next step is one row.
    var isDecoding: Bool { kind == .generate && pendingCount <= 1 }
    /// What the row of a position returns.
    func output(at position: Int) -> RowOutput {
        let isLast = position == tokens.count - 1
        return switch kind {
        case .generate: isLast ? .token : .none
        case .diagnostic: .logits
        case .embed: isLast ? .mean : .pooled
        }
    }

    /// Whether some row of it was sent.
    var hasRun: Bool { timing.started != nil }

    /// Enters the stages with the state of its first positions.
    mutating func begin(with heldCount: Int) {
        sentCount = heldCount
        if !hasRun { cachedCount = heldCount }
    }

    /// What the stages are told of it when it enters them.
    func start(with prefix: SharedPrefix?) -> SequenceStart {
        SequenceStart(
            tokens: tokens, sampling: request.sampling, choice: request.choice, samplerState: samplerState,
            prefix: prefix)
    }

    /// The stages forget it; it goes on with all of its tokens when it enters them again.
    mutating func suspend() { sentCount = 0 }

    mutating func started(at now: Duration) {
        if timing.started == nil { timing.started = now }
    }

    mutating func count(wireBytes: Int) { timing.wireBytes = saturatingSum(timing.wireBytes, wireBytes) }

    /// Takes a token in; a finish reason when it was the last.
    mutating func accept(_ token: TokenID, at now: Duration) -> FinishReason? {
        if timing.firstToken == nil { timing.firstToken = now }
        tokens.append(token)
        if request.endTokens.contains(token) { return .stop }
        return generatedCount >= generatedMax ? .length : nil
    }

    mutating func append(diagnostic chunk: [TokenID]) { tokens += chunk }

    func timings(at now: Duration) -> GenerationTimings {
        let started = timing.started ?? now
        let first = timing.firstToken ?? now
        return GenerationTimings(
            promptTokens: promptCount, cachedTokens: cachedCount, generatedTokens: generatedCount,
            prompt: first - started, generation: now - first, wireBytes: timing.wireBytes)
    }
}
