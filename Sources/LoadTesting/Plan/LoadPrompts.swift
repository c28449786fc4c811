/// The requests of a load as a function of their number: any two runs with one seed ask the same.
package struct LoadPrompts: Sendable, Hashable {
    package var promptTokens: TokenCounts
    package var outputTokens: TokenCounts
    /// Symbols that all prompts begin with, before their own.
    package var sharedPrefix: Int
    /// Prompts that requests take in turn; nil: no two requests have the same.
    package var distinct: Int?
    package var seed: UInt64

    /// Symbols that say which prompt it is, where it has as many: so prompts differ early on, and a cache of what prompts begin
    /// with finds nothing in common.
    private static let numberSymbols = 4

    package init(
        promptTokens: TokenCounts, outputTokens: TokenCounts, sharedPrefix: Int = 0, distinct: Int? = nil, seed: UInt64
    ) {
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.sharedPrefix = sharedPrefix
        self.distinct = distinct
        self.seed = seed
    }

    /// - Parameters:
    ///   - index: from 0.
    ///   - alphabet: how many different symbols there are, at least 2.
    package func request(_ index: Int, alphabet: Int) -> LoadRequest {
        let prompt = distinct.map { index % $0 } ?? index
        var random = SplitMix64(seed, 1, UInt64(prompt))
        let count = promptTokens.count(&random)
        let outputTokens = outputTokens.count(&random)
        var shared = SplitMix64(seed, 2)
        var symbols = (0..<sharedPrefix).map { _ in shared.next(below: alphabet) }
        var rest = prompt
        for place in 0..<count {
            if place < Self.numberSymbols {
                symbols.append((rest + shared.next(below: alphabet)) % alphabet)
                rest /= alphabet
            } else {
                symbols.append(random.next(below: alphabet))
            }
        }
        // What every reader of JSON takes for an integer.
        return LoadRequest(prompt: prompt, symbols: symbols, outputTokens: outputTokens, seed: random.next() >> 11)
    }

    /// Others of the same kind, for what does not count.
    package var forWarmUp: LoadPrompts {
        var prompts = self
        prompts.seed = ~seed
        prompts.distinct = nil
        return prompts
    }
}
