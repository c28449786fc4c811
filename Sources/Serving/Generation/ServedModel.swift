import Sharding
import Tokenizers

/// What turns requests into tokens and tokens into text for the engine's model.
package struct ServedModel: Sendable {
    package var tokenizer: Tokenizer
    /// nil where the model brings none; chat requests are refused then.
    package var template: ChatTemplate?
    /// For what a request leaves out: the model's generation config, else greedy.
    package var sampling: SamplingParameters
    package var endTokens: Set<TokenID>

    package init(
        tokenizer: Tokenizer, template: ChatTemplate?, sampling: SamplingParameters = .greedy, endTokens: Set<TokenID>
    ) {
        self.tokenizer = tokenizer
        self.template = template
        self.sampling = sampling
        self.endTokens = endTokens
    }
}
