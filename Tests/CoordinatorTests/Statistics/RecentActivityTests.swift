import Sharding
import Testing

@testable import Coordinator

@Suite("Recent activity")
struct RecentActivityTests {
    private func step(_ start: Double, _ length: Double) -> EngineSnapshot.Step {
        EngineSnapshot.Step(
            id: 1, rows: 1, promptRows: 0, sentSeconds: start, arrivedSeconds: start + length, startSeconds: [start],
            computeSeconds: [length])
    }

    @Test("a span fills the bins that it lies in, and what lies back too far is gone")
    func bins() {
        var activity = RecentActivity(stageCount: 1)
        activity.note(step(0.05, 0.2))
        let recent = activity.snapshot(now: .milliseconds(250))
        #expect(recent.busy[0].suffix(4) == [0, 0.5, 1, 0.5])
        #expect(recent.busy[0].count == RecentActivity.binCount)
        let later = activity.snapshot(now: .seconds(60))
        #expect(later.busy[0].allSatisfy { $0 == 0 })
        #expect(later.steps.count == 1)
    }

    @Test("a step that took longer than is kept fills what is kept")
    func long() {
        var activity = RecentActivity(stageCount: 1)
        activity.note(step(1, 100))
        let recent = activity.snapshot(now: .seconds(101))
        #expect(recent.busy[0].dropLast().allSatisfy { $0 == 1 })
    }

    @Test("tokens count where they came, and steps are bounded")
    func tokens() {
        var activity = RecentActivity(stageCount: 1)
        for index in 0..<1000 {
            activity.noteToken(now: .milliseconds(index))
            activity.note(step(Double(index) / 1000, 0.0005))
        }
        let recent = activity.snapshot(now: .seconds(1))
        #expect(recent.tokens.reduce(0, +) == 1000 && recent.tokens.suffix(3) == [100, 100, 0])
        #expect(recent.steps.count == RecentActivity.stepsMax)
    }
}
