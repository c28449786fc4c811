/// Turns prompts into tokens: the cluster, one process, or a script in tests.
///
/// It knows token ids only; text, templates and stop strings belong to its callers.
package protocol TokenEngine: Sendable {
    /// What runs here; fixed for the life of the engine.
    var model: EngineModel { get }

    /// Whether a token can be produced now.
    var readiness: EngineReadiness { get async }

    /// Starts one sequence. Its tokens arrive as they are sampled; ending the iteration early frees the sequence
    /// within two steps.
    ///
    /// - Throws: ``EngineError`` when the request does not fit or cannot start now; the stream throws it when the
    ///   request fails later.
    func generate(_ request: TokenRequest) async throws(EngineError) -> TokenStream

    /// Computes the embedding of some tokens. It waits for its turn as other requests do; cancelling the task ends it.
    ///
    /// - Throws: ``EngineError`` when the request does not fit or cannot start now, fails, or was cancelled.
    func embedding(of request: EmbeddingRequest) async throws(EngineError) -> Embedding

    /// How it stands and what it has done; nil where it does not count.
    var snapshot: EngineSnapshot? { get async }
}

extension TokenEngine {
    package var snapshot: EngineSnapshot? {
        get async { nil }
    }
}

/// The tokens of one sequence; ends after a `.finished` event, or throws ``EngineError``.
package typealias TokenStream = AsyncThrowingStream<TokenEvent, any Error>

/// The model that an engine runs, as its callers need to know it.
package struct EngineModel: Sendable, Hashable {
    /// As clients name it.
    package var name: String
    package var vocabularySize: Int
    /// Positions a sequence may take, prompt and answer together.
    package var contextLength: Int
    /// Elements of an embedding.
    package var hiddenSize: Int

    package init(name: String, vocabularySize: Int, contextLength: Int, hiddenSize: Int) {
        self.name = name
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.hiddenSize = hiddenSize
    }
}

package enum EngineReadiness: Sendable, Hashable {
    case ready
    /// Why not, in one line: `worker b is loading (41 %)`.
    case notReady(String)
}

/// One sequence to generate.
package struct TokenRequest: Sendable, Hashable {
    /// At least one token, all below the vocabulary's size.
    package var prompt: [TokenID]
    package var sampling: SamplingParameters
    /// Index of the choice within a client's request.
    package var choice: Int
    /// Tokens to generate at most, the ending one included; nil: as many as the context holds.
    package var maxTokens: Int?
    /// Generation ends after one of these (it is delivered).
    package var endTokens: Set<TokenID>
    /// Whose it is: of those that wait, one of whom the fewest run is next.
    package var owner: String
    /// A higher one begins before those that wait, and stops later for want of memory.
    package var priority: Int

    package init(
        prompt: [TokenID], sampling: SamplingParameters = .greedy, choice: Int = 0, maxTokens: Int? = nil,
        endTokens: Set<TokenID> = [], owner: String = "", priority: Int = 0
    ) {
        self.prompt = prompt
        self.sampling = sampling
        self.choice = choice
        self.maxTokens = maxTokens
        self.endTokens = endTokens
        self.owner = owner
        self.priority = priority
    }
}

package enum FinishReason: String, Sendable, Hashable {
    /// An end token or a stop string.
    case stop
    /// `maxTokens` or a full context.
    case length
    case cancelled
}

package enum TokenEvent: Sendable, Hashable {
    /// Before any token, where an engine has something to say: so many of the prompt's tokens need not be computed.
    case begun(cachedTokens: Int)
    case token(AcceptedToken)
    /// The last event of a stream that ended well.
    case finished(FinishReason, GenerationTimings)
}

/// Where the time of one sequence went, and what it moved.
package struct GenerationTimings: Sendable, Hashable {
    package var promptTokens: Int
    /// Of those, how many were not computed: the state of another sequence stood for them.
    package var cachedTokens: Int
    package var generatedTokens: Int
    /// From the start of the first step to the first token.
    package var prompt: Duration
    /// From the first token to the last.
    package var generation: Duration
    /// Bytes of messages that carried this sequence's steps between processes, both ways; 0 in one process.
    package var wireBytes: Int

    package init(
        promptTokens: Int, cachedTokens: Int = 0, generatedTokens: Int, prompt: Duration, generation: Duration,
        wireBytes: Int = 0
    ) {
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.generatedTokens = generatedTokens
        self.prompt = prompt
        self.generation = generation
        self.wireBytes = wireBytes
    }
}
