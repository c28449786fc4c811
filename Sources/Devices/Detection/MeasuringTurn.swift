import Foundation

/// The turn to measure among the processes of one program on this machine: those that measure together share what there
/// is, and each finds too little.
///
/// It is a lock on the program's own file, so that nothing is written and the end of a process gives it up.
package enum MeasuringTurn {
    /// How long a turn is waited for: a process that was stopped while it measured holds up nobody for long.
    package static let patience = Duration.seconds(3)

    /// Waits for the turn and does `body`; does it without the turn after `patience`, or where the file cannot be opened.
    package static func take<Result>(
        of program: String = "/proc/self/exe", patience: Duration = Self.patience, _ body: () -> Result
    ) -> Result {
        let descriptor = open(program, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return body() }
        defer { close(descriptor) }
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR,
            ContinuousClock.now < deadline
        {
            usleep(5000)
        }
        return body()
    }
}
