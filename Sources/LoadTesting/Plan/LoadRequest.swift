/// One request of a load: its prompt as symbols, which become token ids or words.
package struct LoadRequest: Sendable, Hashable {
    /// Which of the load's prompts it is.
    package var prompt: Int
    package var symbols: [Int]
    package var outputTokens: Int
    /// For sampling.
    package var seed: UInt64
}
