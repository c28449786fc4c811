import Testing

@testable import Measuring

@Suite("Plan of a benchmark")
struct BenchmarkPlanTests {
    @Test("axes give prompts at each depth, and generations at each depth for each count of sequences")
    func axes() {
        let axes = BenchmarkAxes(prompts: [512], generations: [128], depths: [0, 8192], sequenceCounts: [1, 8])
        #expect(
            axes.tests.map(\.name) == [
                "prompt 512", "prompt 512 at depth 8192", "generate 128", "generate 128 at depth 8192",
                "generate 128, 8 sequences", "generate 128 at depth 8192, 8 sequences",
            ])
    }

    @Test("0 leaves a test out, and what is named twice is done once")
    func zeroAndTwice() {
        let axes = BenchmarkAxes(prompts: [0], generations: [4, 4], depths: [0, 0])
        #expect(axes.tests == [BenchmarkTest(.generate, tokenCount: 4)])
    }

    @Test("interleaved, each repetition visits all subjects before the next; warming up is part of the first")
    func interleaved() {
        let visits = BenchmarkSchedule.visits(
            subjectCount: 2, tests: [1, 0], warmUps: 1, repetitions: 2, isInterleaved: true)
        #expect(visits.map(\.subject) == [0, 1, 0, 1])
        #expect(visits.map { $0.runs.map(\.test) } == [[1, 0, 1, 0], [1, 0, 1, 0], [1, 0], [1, 0]])
        #expect(visits[0].runs.map(\.isWarmUp) == [true, true, false, false])
        #expect(visits[2].runs.map(\.isWarmUp) == [false, false])
    }

    @Test("a lone subject stays loaded, its tests alternate")
    func lone() {
        let visits = BenchmarkSchedule.visits(
            subjectCount: 1, tests: [0, 1], warmUps: 1, repetitions: 1, isInterleaved: true)
        #expect(visits.count == 1)
        #expect(visits[0].runs.map(\.test) == [0, 1, 0, 1])
        #expect(visits[0].runs.map(\.isWarmUp) == [true, true, false, false])
    }

    @Test("not interleaved, each test has all its repetitions at once")
    func inBlocks() {
        let visits = BenchmarkSchedule.visits(
            subjectCount: 2, tests: [0, 1], warmUps: 1, repetitions: 2, isInterleaved: false)
        #expect(visits.map(\.subject) == [0, 1])
        #expect(visits[0].runs.map(\.test) == [0, 0, 0, 1, 1, 1])
        #expect(visits[0].runs.map(\.isWarmUp) == [true, false, false, true, false, false])
    }
}
