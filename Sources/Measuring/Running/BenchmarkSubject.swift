/// A model in some mode with some threads, ready to be loaded and timed.
package protocol BenchmarkSubject: Sendable {
    /// Loads it, does the runs in order, and gives its memory back.
    ///
    /// - Parameter report: called after each run.
    func visit(
        _ runs: [ScheduledRun], of tests: [BenchmarkTest],
        report: @escaping @Sendable (ScheduledRun, RunOutcome) -> Void
    ) async throws
}

/// What one run gave.
package struct RunOutcome: Sendable, Hashable {
    /// Of the timed tokens alone.
    package var seconds: Double
    /// The most memory that was in use while the model was loaded or the test ran; nil where the system does not say.
    package var peakBytes: Int?

    package init(seconds: Double, peakBytes: Int? = nil) {
        self.seconds = seconds
        self.peakBytes = peakBytes
    }
}
