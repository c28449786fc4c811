import Sharding

/// Why a part cannot be loaded.
struct LoadProblem: Error, Sendable, Hashable, CustomStringConvertible {
    let reason: LoadFailure.Reason
    /// One line that names the file, what was found and what was expected.
    let message: String

    init(_ reason: LoadFailure.Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    var description: String { message }
}
