import Measuring
import Terminal

/// One line on a terminal's stderr that says what was timed last; a run of some minutes would be silent else.
final class BenchProgress: Sendable {
    private let isShown: Bool

    init(isShown: Bool) { self.isShown = isShown && StandardError.isTerminal }

    func show(_ state: BenchmarkDriver.Progress, of subject: SubjectDescription, _ test: BenchmarkTest) {
        guard isShown else { return }
        let speed = BenchText.number(Double(test.tokenCountTotal) / state.outcome.seconds)
        let line =
            "\(state.runsDone) of \(state.runCount): \(subject.model), \(BenchText.threads(subject.threads)), "
            + "\(test.name): \(speed) tokens/s" + (state.run.isWarmUp ? ", warming up" : "")
        StandardError.write(raw: "\r\u{1B}[K\(Program.singleLine(line))")
    }

    /// Removes the line.
    func end() {
        if isShown { StandardError.write(raw: "\r\u{1B}[K") }
    }
}
