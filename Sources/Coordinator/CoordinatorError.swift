/// Why a coordinator does not come up, or does not go on.
package struct CoordinatorError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The configuration is wrong, or the model does not fit: exit code 2.
        case configuration
        /// Something went wrong while starting or running: exit code 1.
        case failed
    }

    package let code: Code
    /// One line: place, what was expected, what was found, a hint.
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package init(_ failure: StartFailure) {
        switch failure {
        case .placement(let error): self.init(.configuration, error.description, cause: error)
        case .worker(let message): self.init(.failed, message)
        case .configuration(let message): self.init(.configuration, message)
        }
    }

    package var description: String { message }
}
