import Sharding

/// A request that was admitted: its tokens, and how far its rows have been sent.
struct ActiveSequence: Sendable {
    enum Kind: Sendable, Hashable {
        case generate
        /// Logits of given tokens, a chunk at a time; nothing is sampled.
        case diagnostic
    }

    let id: SequenceID
    let kind: Kind
    let request: TokenRequest
    /// Tokens that it may generate at most.
    let generatedMax: Int
    /// Cache positions that are set aside for it, whole blocks.
    let reservedPositions: Int
    /// The prompt, and what was generated; a diagnostic's chunks.
    private(set) var tokens: [TokenID]
    /// Positions whose rows are in a step that was sent.
    var sentCount = 0
    var hasBegun = false
    /// A row that asks for a token or for logits is on its way.
    var awaitsOutput = false
    private(set) var timing = Timing()

    struct Timing: Sendable {
        var started: Duration?
        var firstToken: Duration?
        var wireBytes = 0
    }

    init(id: SequenceID, kind: Kind, request: TokenRequest, generatedMax: Int, reservedPositions: Int) {
        self.id = id
        self.kind = kind
        self.request = request
        self.generatedMax = generatedMax
        self.reservedPositions = reservedPositions
        tokens = request.prompt
    }

    var promptCount: Int { kind == .generate ? request.prompt.count : tokens.count }
    var generatedCount: Int { tokens.count - promptCount }
    /// Rows that can be sent now.
    var pendingCount: Int { tokens.count - sentCount }
    /// Only its last token is missing, so its next step is one row.
    var isDecoding: Bool { kind == .generate && sentCount >= promptCount }

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
            promptTokens: promptCount, generatedTokens: generatedCount, prompt: first - started,
            generation: now - first, wireBytes: timing.wireBytes)
    }
}
