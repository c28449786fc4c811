/// Several lines on stderr that are redrawn in place on a terminal, and otherwise written when they change.
package final class StatusBlock {
    private let redraws: Bool
    private let isShown: Bool
    private var drawn: [String] = []

    package init(isShown: Bool, isTerminal: Bool = StandardError.isTerminal) {
        self.isShown = isShown
        redraws = isTerminal
    }

    /// Replaces the block's lines. Without a terminal only lines that are new are written.
    package func show(_ lines: [String]) {
        guard isShown, lines != drawn else { return }
        if redraws {
            let up = drawn.isEmpty ? "" : "\u{1B}[\(drawn.count)A"
            StandardError.write(raw: up + "\r\u{1B}[J" + lines.map { $0 + "\n" }.joined())
        } else {
            let known = Set(drawn)
            StandardError.write(lines.filter { !known.contains($0) })
        }
        drawn = lines
    }

    /// Leaves what is drawn where it is; the next block starts below it.
    package func end() { drawn = [] }
}
