import Sharding
import Synchronization

/// An engine that plays a script for each request, and records what was asked and what was dropped.
final class ScriptedEngine: TokenEngine {
    enum Line: Sendable {
        case begun(cachedTokens: Int)
        case token(AcceptedToken)
        /// Waits until the test opens the gate.
        case gate
        case fail(EngineError)
        case finish(FinishReason)
        /// Ends the stream without a result, as no engine should.
        case end
    }

    enum EmbeddingFailure: Sendable {
        case refused(EngineError)
        /// Waits until it is cancelled.
        case waits
    }

    let model: EngineModel
    private let counted: EngineSnapshot?
    private let embeddingFailure: EmbeddingFailure?
    private let script: @Sendable (TokenRequest) throws(EngineError) -> [Line]
    private let state: Mutex<State>
    private let gate = AsyncStream<Void>.makeStream()
    /// Yields whenever a sequence's reader stops before its end.
    let dropped = AsyncStream<Void>.makeStream()
    /// Yields whenever a sequence starts.
    let started = AsyncStream<Void>.makeStream()

    private struct State {
        var requests: [TokenRequest] = []
        var readiness: EngineReadiness
    }

    init(
        name: String = "demo", vocabularySize: Int = 1280, contextLength: Int = 512,
        readiness: EngineReadiness = .ready, snapshot: EngineSnapshot? = nil, embeddingFailure: EmbeddingFailure? = nil,
        script: @escaping @Sendable (TokenRequest) throws(EngineError) -> [Line]
    ) {
        model = EngineModel(
            name: name, vocabularySize: vocabularySize, contextLength: contextLength, hiddenSize: 2)
        counted = snapshot
        self.script = script
        self.embeddingFailure = embeddingFailure
        state = Mutex(State(readiness: readiness))
    }

    var requests: [TokenRequest] { state.withLock { $0.requests } }

    var readiness: EngineReadiness {
        get async { state.withLock { $0.readiness } }
    }

    var snapshot: EngineSnapshot? {
        get async { counted }
    }

    func open() { gate.continuation.yield() }

    /// Returns when a stream was given up before its end.
    func waitUntilDropped() async {
        for await _ in dropped.stream { return }
    }

    func generate(_ request: TokenRequest) async throws(EngineError) -> TokenStream {
        state.withLock { $0.requests.append(request) }
        let lines = try script(request)
        let (stream, continuation) = TokenStream.makeStream()
        let player = Task { await play(lines, of: request, into: continuation) }
        continuation.onTermination = { [dropped] termination in
            if case .cancelled = termination { dropped.continuation.yield() }
            player.cancel()
        }
        started.continuation.yield()
        return stream
    }

    /// Its first element is how many tokens there were, its second their sum.
    func embedding(of request: EmbeddingRequest) async throws(EngineError) -> Embedding {
        switch embeddingFailure {
        case nil: break
        case .refused(let error): throw error
        case .waits:
            started.continuation.yield()
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            dropped.continuation.yield()
            throw EngineError(.failed, "cancelled")
        }
        let sum = request.tokens.reduce(0) { $0 + Float($1) }
        return Embedding(
            values: [Float(request.tokens.count), sum],
            timings: GenerationTimings(
                promptTokens: request.tokens.count, generatedTokens: 0, prompt: .milliseconds(20), generation: .zero,
                wireBytes: 1000))
    }

    private func play(_ lines: [Line], of request: TokenRequest, into stream: TokenStream.Continuation) async {
        var count = 0
        for line in lines {
            switch line {
            case .begun(let cachedTokens): stream.yield(.begun(cachedTokens: cachedTokens))
            case .token(let token):
                count += 1
                stream.yield(.token(token))
            case .gate: for await _ in gate.stream { break }
            case .fail(let error): stream.finish(throwing: error)
            case .finish(let reason):
                let timings = GenerationTimings(
                    promptTokens: request.prompt.count, generatedTokens: count, prompt: .milliseconds(20),
                    generation: .milliseconds(10), wireBytes: 1000)
                stream.yield(.finished(reason, timings))
                stream.finish()
            case .end: stream.finish()
            }
        }
    }
}

extension ScriptedEngine.Line {
    static func token(_ id: TokenID) -> Self { .token(AcceptedToken(token: id, logprob: -0.5)) }
}

extension Collection where Element == TokenID {
    /// These tokens, and an ending.
    func lines(_ reason: FinishReason = .stop) -> [ScriptedEngine.Line] {
        map { .token($0) } + [.finish(reason)]
    }
}
