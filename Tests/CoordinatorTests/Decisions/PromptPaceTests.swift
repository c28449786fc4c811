import Testing

@testable import Coordinator

@Suite("Rows of prompts beside others that generate")
struct PromptPaceTests {
    /// Steps of 20 ms, and 3 ms more for each row of a prompt.
    private func settled(gapMax: Duration, rounds: Int = 50) -> (rows: Int, gap: Duration) {
        var pace = PromptPace(gapMax: gapMax)
        var time = Duration.zero
        for _ in 0..<rounds {
            time = .milliseconds(20 + 3 * pace.rowsMax)
            pace.note(promptRows: pace.rowsMax, took: time, stepsBetweenTokens: 3)
        }
        return (pace.rowsMax, time * 3)
    }

    @Test("so many that the pause of others stays within its limit")
    func limit() {
        for gapMax in [Duration.milliseconds(120), .milliseconds(300), .seconds(1)] {
            let (rows, gap) = settled(gapMax: gapMax)
            #expect(gap <= gapMax * 1.1 && gap >= gapMax * 0.6, "\(rows) rows, \(gap)")
        }
    }

    @Test("a prompt goes on, however slow the stages are")
    func least() {
        #expect(settled(gapMax: .milliseconds(1)).rows == 4)
    }

    @Test("a short rest of a prompt says nothing")
    func short() {
        var pace = PromptPace(gapMax: .milliseconds(100))
        let before = pace.rowsMax
        pace.note(promptRows: 2, took: .milliseconds(1), stepsBetweenTokens: 3)
        #expect(pace.rowsMax == before)
    }
}
