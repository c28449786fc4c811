/// One test, timed once.
package struct ScheduledRun: Sendable, Hashable {
    /// Index in the list of tests.
    package var test: Int
    /// Its time is thrown away.
    package var isWarmUp: Bool

    package init(test: Int, isWarmUp: Bool = false) {
        self.test = test
        self.isWarmUp = isWarmUp
    }
}

/// Runs of one subject (a model in a mode with some threads) while it stays loaded.
package struct ScheduledVisit: Sendable, Hashable {
    /// Index in the list of subjects.
    package var subject: Int
    package var runs: [ScheduledRun]

    package init(subject: Int, runs: [ScheduledRun]) {
        self.subject = subject
        self.runs = runs
    }
}

/// In which order everything is run: a value, without clock or model.
package enum BenchmarkSchedule {
    /// - Parameters:
    ///   - tests: small ones should come first, so that a large one's memory does not count for them.
    ///   - isInterleaved: A B C A B C, so that what a shared machine does meanwhile meets all alike; else A A B B C C.
    ///     Only one subject is loaded at a time: with several, each comes anew for each of its turns.
    package static func visits(
        subjectCount: Int, tests: [Int], warmUps: Int, repetitions: Int, isInterleaved: Bool
    ) -> [ScheduledVisit] {
        let rounds = (0..<warmUps + repetitions).map { $0 < warmUps }
        guard isInterleaved else {
            return (0..<subjectCount).map { subject in
                ScheduledVisit(
                    subject: subject,
                    runs: tests.flatMap { test in rounds.map { ScheduledRun(test: test, isWarmUp: $0) } })
            }
        }
        var visits: [ScheduledVisit] = []
        for isWarmUp in rounds {
            for subject in 0..<subjectCount {
                let runs = tests.map { ScheduledRun(test: $0, isWarmUp: isWarmUp) }
                if visits.last?.subject == subject {
                    visits[visits.count - 1].runs += runs
                } else {
                    visits.append(ScheduledVisit(subject: subject, runs: runs))
                }
            }
        }
        return visits
    }
}
