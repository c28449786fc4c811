/// A model as a value: its sizes, its layers, and where its tensors are.
package struct ModelSpec: Sendable, Hashable {
    /// The Hugging Face class (`LlamaForCausalLM`), or the GGUF architecture (`llama`).
    package var modelClass: String
    /// The family's name in the table of families.
    package var architecture: String
    package var vocabularySize: Int
    package var hiddenSize: Int
    /// Positions that the model was made for.
    package var contextLength: Int
    package var embedding: EmbeddingSpec
    package var layers: [LayerSpec]
    package var head: HeadSpec
}

/// The rows of `weight` `[vocabularySize, hiddenSize]` are the tokens' first hidden states.
package struct EmbeddingSpec: Sendable, Hashable {
    package var weight: String
}

/// The output norm, and the matrix that turns hidden states into logits.
package struct HeadSpec: Sendable, Hashable {
    package var norm: NormSpec
    /// Its weight is the embedding's when `isTied`.
    package var output: LinearSpec
    package var isTied: Bool
}
