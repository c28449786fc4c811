import Testing

@testable import Coordinator

@Suite("How many steps are on their way")
struct StepDealingTests {
    /// Stages that take, for a step of some rows while some steps are on their way, so long.
    typealias Cost = (_ rows: Int, _ steps: Int) -> Duration

    /// What is chosen, and how often, after many steps of so many sequences.
    private func settled(
        _ dealing: inout StepDealing, sequences: Int, steps: Int = 2000, _ cost: Cost
    ) -> [Int: Int] {
        var now = Duration.zero
        var chosen: [Int: Int] = [:]
        for _ in 0..<steps {
            let count = dealing.stepCount(for: sequences)
            let rows = (sequences + count - 1) / count
            now += cost(rows, count)
            chosen[count, default: 0] += 1
            dealing.note(tokenCount: rows, isUndisturbed: true, sequenceCount: sequences, now: now)
        }
        return chosen
    }

    /// Two workers that compute: each row takes its time, whatever the steps.
    private let computing: Cost = { rows, steps in .microseconds(rows * (steps == 1 ? 2000 : 1000)) }
    /// Two workers on one bus: what a step reads takes its time, whatever its rows.
    private let reading: Cost = { _, _ in .milliseconds(30) }

    @Test("one for each worker where rows take the time")
    func oneEach() {
        var dealing = StepDealing(depth: 2, machineCount: 1)
        let chosen = settled(&dealing, sequences: 8, computing)
        #expect(chosen[2, default: 0] > 1800, "\(chosen)")
    }

    @Test("one in turn where workers share the bus and reading takes the time")
    func inTurn() {
        var dealing = StepDealing(depth: 2, machineCount: 1)
        let chosen = settled(&dealing, sequences: 8, reading)
        #expect(chosen[1, default: 0] > 1800, "\(chosen)")
    }

    @Test("on machines of their own, workers are never left idle to try it")
    func machines() {
        var dealing = StepDealing(depth: 2, machineCount: 2)
        let chosen = settled(&dealing, sequences: 8, reading)
        #expect(chosen[1] == nil)
    }

    @Test("one more where results take long to come back")
    func farApart() {
        var dealing = StepDealing(depth: 2, machineCount: 2)
        // Each row takes its time in each of two stages, and a round 20 ms on the ways.
        let chosen = settled(&dealing, sequences: 12) { rows, steps in
            max(.milliseconds(2 * rows), (.milliseconds(4 * rows) + .milliseconds(20)) / steps)
        }
        #expect(chosen[3, default: 0] > 1700, "\(chosen)")
    }

    @Test("what becomes faster later is found")
    func change() {
        var dealing = StepDealing(depth: 2, machineCount: 1)
        _ = settled(&dealing, sequences: 8, computing)
        _ = settled(&dealing, sequences: 8, steps: 20000, reading)
        #expect(settled(&dealing, sequences: 8, reading)[1, default: 0] > 1800)
    }

    @Test("prompts, and sequences that come and go, end what is measured and change nothing that is known")
    func disturbed() {
        var dealing = StepDealing(depth: 2, machineCount: 1)
        _ = settled(&dealing, sequences: 8, reading)
        for round in 0..<100 {
            dealing.note(
                tokenCount: 1, isUndisturbed: round % 2 == 0, sequenceCount: 8, now: .seconds(100 + 100 * round))
        }
        #expect(dealing.stepCount(for: 8) == 1)
        #expect(dealing.stepCount(for: 1) == 1)
        #expect((1...2).contains(dealing.stepCount(for: 2)))
    }

    @Test("one worker has one step to wait for, and never more than sequences")
    func bounds() {
        #expect(StepDealing(depth: 1, machineCount: 1).stepCount(for: 64) == 1)
        #expect(StepDealing(depth: 8, machineCount: 8).stepCount(for: 3) == 3)
        #expect(StepDealing(depth: 8, machineCount: 8).stepCount(for: 64) == 8)
    }
}
