/// Tokens whose embedding is asked for.
package struct EmbeddingRequest: Sendable, Hashable {
    /// At least one, at most as many as the context holds, all below the vocabulary's size.
    package var tokens: [TokenID]
    /// As in ``TokenRequest``.
    package var owner: String
    package var priority: Int

    package init(tokens: [TokenID], owner: String = "", priority: Int = 0) {
        self.tokens = tokens
        self.owner = owner
        self.priority = priority
    }
}

/// What a model makes of a text as a whole.
package struct Embedding: Sendable, Hashable {
    /// The mean over all positions of the hidden state after the output norm, `[hiddenSize]`; its length is not 1.
    ///
    /// Each element is summed in f32, position by position from 0, and divided once: the same bits however the model is
    /// split and the tokens are cut into steps.
    package var values: [Float]
    /// Nothing is generated.
    package var timings: GenerationTimings

    package init(values: [Float], timings: GenerationTimings) {
        self.values = values
        self.timings = timings
    }
}
