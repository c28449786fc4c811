import Synchronization
import Testing

@testable import Measuring

@Suite("Driver of a benchmark")
struct BenchmarkDriverTests {
    /// Takes so many seconds for its next run, in order.
    private final class ScriptedSubject: BenchmarkSubject {
        private let outcomes: Mutex<[RunOutcome]>

        init(_ outcomes: [RunOutcome]) { self.outcomes = Mutex(outcomes) }

        func visit(
            _ runs: [ScheduledRun], of tests: [BenchmarkTest],
            report: @escaping @Sendable (ScheduledRun, RunOutcome) -> Void
        ) async throws {
            for run in runs { report(run, outcomes.withLock { $0.removeFirst() }) }
        }
    }

    private let tests = [BenchmarkTest(.prompt, tokenCount: 8), BenchmarkTest(.generate, tokenCount: 4)]

    @Test("samples go to their subject and test, warming up counts for nothing but the peak")
    func samples() async throws {
        let visits = BenchmarkSchedule.visits(
            subjectCount: 2, tests: [0, 1], warmUps: 1, repetitions: 2, isInterleaved: true)
        func outcomes(_ base: Double) -> [RunOutcome] {
            (0..<6).map { RunOutcome(seconds: base + Double($0), peakBytes: Int(base) + $0) }
        }
        let counts = Mutex<[Int]>([])
        let results = try await BenchmarkDriver.run(
            visits, subjects: [ScriptedSubject(outcomes(10)), ScriptedSubject(outcomes(20))], tests: tests
        ) { progress in
            #expect(progress.runCount == 12)
            counts.withLock { $0.append(progress.runsDone) }
        }
        #expect(results.map { $0.map(\.seconds) } == [[[12, 14], [13, 15]], [[22, 24], [23, 25]]])
        #expect(results.map { $0.map(\.peakBytes) } == [[10, 11], [20, 21]])
        #expect(counts.withLock { $0 } == Array(1...12))
    }

    @Test("what a subject throws ends the benchmark")
    func failure() async {
        struct Broken: BenchmarkSubject {
            struct Failure: Error {}
            func visit(
                _ runs: [ScheduledRun], of tests: [BenchmarkTest],
                report: @escaping @Sendable (ScheduledRun, RunOutcome) -> Void
            ) async throws { throw Failure() }
        }
        await #expect(throws: Broken.Failure.self) {
            _ = try await BenchmarkDriver.run(
                [ScheduledVisit(subject: 0, runs: [ScheduledRun(test: 0)])], subjects: [Broken()], tests: tests)
        }
    }
}
