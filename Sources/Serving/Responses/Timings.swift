import Sharding

/// Where the time of an answer went, and what it moved between processes.
///
/// With several choices: their tokens and bytes together, and the longest of their times.
struct Timings: Encodable, Sendable, Hashable {
    var promptTokens: Int
    /// Of those, how many were not computed, as their state was there already.
    var cachedTokens: Int
    var promptMs: Double
    /// Of those that were computed.
    var promptTokensPerSecond: Double?
    var generatedTokens: Int
    var generationMs: Double
    /// Of the tokens after the first, whose time counts as the prompt's; absent when there is none.
    var generationTokensPerSecond: Double?
    /// Messages that carried the answer's steps, both ways; absent when a stop string ended it early.
    var wireBytes: Int?
    /// Over all positions that were computed, the prompt's too.
    var wireBytesPerToken: Double?

    /// - Parameters:
    ///   - choices: at least one.
    ///   - wireBytes: nil where it is not known for every choice.
    init(_ choices: [GenerationTimings], wireBytes: Int?) {
        promptTokens = choices.reduce(0) { $0 + $1.promptTokens }
        cachedTokens = choices.reduce(0) { $0 + $1.cachedTokens }
        generatedTokens = choices.reduce(0) { $0 + $1.generatedTokens }
        let prompt = choices.map(\.prompt).max() ?? .zero
        let generation = choices.map(\.generation).max() ?? .zero
        promptMs = prompt.milliseconds.rounded(places: 3)
        generationMs = generation.milliseconds.rounded(places: 3)
        promptTokensPerSecond = Self.rate(promptTokens - cachedTokens, prompt)
        generationTokensPerSecond = Self.rate(generatedTokens - choices.count, generation)
        self.wireBytes = wireBytes
        // A choice's last token is never computed on.
        let computedCount = promptTokens - cachedTokens + generatedTokens - choices.count
        wireBytesPerToken = wireBytes.flatMap {
            computedCount > 0 ? (Double($0) / Double(computedCount)).rounded(places: 1) : nil
        }
    }

    private static func rate(_ count: Int, _ time: Duration) -> Double? {
        count > 0 && time > .zero ? (Double(count) * 1000 / time.milliseconds).rounded(places: 2) : nil
    }
}

extension Double {
    fileprivate func rounded(places: Int) -> Double {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        return (self * scale).rounded() / scale
    }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
