import Foundation

/// Processor time that a coordinator's decisions took, by what they were about.
package struct CoordinatorTime: Sendable {
    /// Taking results in and sending steps.
    package var steps = Duration.zero
    /// Taking requests in.
    package var requests = Duration.zero
    /// Heartbeats and the passing of time.
    package var membership = Duration.zero

    package var total: Duration { steps + requests + membership }
}

/// How virtual time sees the decisions.
package enum DecisionTime: Sendable {
    /// They take none: everything is the same in each run.
    case none
    /// They take the processor time that they do take here, one after the other, while steps wait.
    case measured

    /// What `decide` takes of this thread, in nanoseconds.
    func spent<Subject, Result>(
        _ subject: inout Subject, _ decide: (inout Subject) -> Result
    ) -> (result: Result, nanoseconds: Int) {
        guard case .measured = self else { return (decide(&subject), 0) }
        let start = Self.threadNanoseconds
        let result = decide(&subject)
        return (result, Self.threadNanoseconds - start)
    }

    private static var threadNanoseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
