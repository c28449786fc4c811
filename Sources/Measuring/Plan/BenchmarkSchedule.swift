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
    ///   - warmUps: times that each test runs before it counts, while its subject is loaded for the first time.
    ///   - isInterleaved: A B C A B C, so that what a shared machine does meanwhile meets all alike; else A A B B C C.
    ///     Only one subject is loaded at a time: with several, each comes anew for each of its turns.
    package static func visits(
        subjectCount: Int, tests: [Int], warmUps: Int, repetitions: Int, isInterleaved: Bool
    ) -> [ScheduledVisit] {
        guard isInterleaved else {
            let rounds = (0..<warmUps + repetitions).map { $0 < warmUps }
            let runs = tests.flatMap { test in rounds.map { ScheduledRun(test: test, isWarmUp: $0) } }
            return (0..<subjectCount).map { ScheduledVisit(subject: $0, runs: runs) }
        }
        let warmUp = (0..<warmUps).flatMap { _ in tests.map { ScheduledRun(test: $0, isWarmUp: true) } }
        let round = tests.map { ScheduledRun(test: $0) }
        if subjectCount == 1 {
            return [ScheduledVisit(subject: 0, runs: warmUp + (0..<repetitions).flatMap { _ in round })]
        }
        return (0..<repetitions).flatMap { repetition in
            (0..<subjectCount).map { subject in
                ScheduledVisit(subject: subject, runs: repetition == 0 ? warmUp + round : round)
            }
        }
    }
}
