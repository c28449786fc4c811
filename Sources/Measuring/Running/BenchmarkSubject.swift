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
    /// Of weights that are read from disk; nil where all stay in memory.
    package var disk: DiskUse?

    package init(seconds: Double, peakBytes: Int? = nil) {
        self.seconds = seconds
        self.peakBytes = peakBytes
    }
}

/// What reading weights from disk did while something was timed.
package struct DiskUse: Sendable, Hashable {
    package var readBytes: Int
    /// In which nothing could be computed because weights were not there yet.
    package var waitedSeconds: Double
    /// The disk's own rate, measured shortly before.
    package var bytesPerSecondMax: Double

    package init(readBytes: Int, waitedSeconds: Double, bytesPerSecondMax: Double) {
        self.readBytes = readBytes
        self.waitedSeconds = waitedSeconds
        self.bytesPerSecondMax = bytesPerSecondMax
    }
}
