/// Worker processes that a coordinator starts and ends; tests put a script in their place.
package protocol WorkerProcesses: Sendable {
    /// Ends of processes, whatever their reason; a process that could not start counts as one that ended.
    var exits: AsyncStream<WorkerExit> { get }

    /// Starts all of them.
    func startAll()

    /// Starts one again, after a wait.
    func start(_ worker: String, after wait: Duration)

    /// Ends one at once.
    func kill(_ worker: String)

    /// Asks all to end, and ends at once those that do not within the deadline; returns when none is left.
    func stopAll() async
}

package struct WorkerExit: Sendable, Hashable {
    package var worker: String
    /// `exit status 2`, `signal 9`.
    package var status: String
    /// Its arguments or its configuration are wrong, so that starting it again would not help.
    package var isFinal: Bool
    /// What ended is an ssh session; the worker that it started may go on.
    package var isSession: Bool

    package init(worker: String, status: String, isFinal: Bool = false, isSession: Bool = false) {
        self.worker = worker
        self.status = status
        self.isFinal = isFinal
        self.isSession = isSession
    }
}
