import Synchronization

/// Takes subjects through a schedule and collects what their runs give.
package enum BenchmarkDriver {
    /// Of one test of one subject.
    package struct Outcomes: Sendable, Hashable {
        /// Seconds of each run that counts, in order.
        package var seconds: [Double] = []
        /// Of the first run: later ones find what larger tests left.
        package var peakBytes: Int?
        /// Of each run that counts and read weights from disk.
        package var disk: [DiskUse] = []
        var hasRun = false
    }

    package struct Progress: Sendable {
        package var subject: Int
        package var run: ScheduledRun
        package var outcome: RunOutcome
        package var runsDone: Int
        package var runCount: Int
    }

    /// - Returns: by subject, then by test.
    package static func run(
        _ visits: [ScheduledVisit], subjects: [any BenchmarkSubject], tests: [BenchmarkTest],
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> [[Outcomes]] {
        let empty = Array(repeating: Array(repeating: Outcomes(), count: tests.count), count: subjects.count)
        let state = Mutex((outcomes: empty, runsDone: 0))
        let runCount = visits.reduce(0) { $0 + $1.runs.count }
        for visit in visits {
            let subject = visit.subject
            try await subjects[subject].visit(visit.runs, of: tests) { run, outcome in
                let runsDone = state.withLock { state in
                    state.outcomes[subject][run.test].add(outcome, isWarmUp: run.isWarmUp)
                    state.runsDone += 1
                    return state.runsDone
                }
                progress(
                    Progress(subject: subject, run: run, outcome: outcome, runsDone: runsDone, runCount: runCount))
            }
        }
        return state.withLock { $0.outcomes }
    }
}

extension BenchmarkDriver.Outcomes {
    fileprivate mutating func add(_ outcome: RunOutcome, isWarmUp: Bool) {
        if !hasRun { peakBytes = outcome.peakBytes }
        hasRun = true
        guard !isWarmUp else { return }
        seconds.append(outcome.seconds)
        if let use = outcome.disk { disk.append(use) }
    }
}
