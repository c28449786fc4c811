/// Why a worker does not start or does not go on.
package struct WorkerError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// An option is wrong, or asks for what is not there yet.
        case configuration
        /// The coordinator does not take this worker.
        case refused
        /// A socket, a thread or a device failed.
        case failed
    }

    package let code: Code
    /// Option, endpoint or part.
    package let place: String
    /// What was expected and found, and what to do.
    package let message: String

    package init(_ code: Code, place: String, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    package var description: String { "\(place): \(message)" }
}
