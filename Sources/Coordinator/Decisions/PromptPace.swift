/// How many rows of prompts a step may have while other sequences generate, so that those do not pause for long.
///
/// Found by measuring: where steps take longer than they may, the next ones have fewer rows, and more where they take less.
struct PromptPace: Sendable {
    /// Of a sequence that generates, from one token to the next.
    let gapMax: Duration
    private var rows = Double(first)

    private static let first = 8
    /// Fewer rows take no less time: a step reads all weights.
    private static let least = 4
    private static let most = 4096
    /// Of one measurement: what the processor did besides is no reason to jump.
    private static let change = 0.5...1.5

    init(gapMax: Duration) { self.gapMax = gapMax }

    var rowsMax: Int { Int(rows) }

    /// A step with rows of a prompt took so long in the slowest stage.
    ///
    /// - Parameter stepsBetweenTokens: which a sequence has to wait for.
    mutating func note(promptRows: Int, took time: Duration, stepsBetweenTokens: Int) {
        // With fewer rows than it could have had, a step says little of what more would take.
        guard promptRows > 0, Double(promptRows) >= rows / 2, time > .zero else { return }
        let room = gapMax / stepsBetweenTokens / time
        let factor = min(max(room, Self.change.lowerBound), Self.change.upperBound)
        rows = min(max(Double(promptRows) * factor, Double(Self.least)), Double(Self.most))
    }
}
