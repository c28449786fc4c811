/// Why an engine did not start, or did not finish, a sequence.
package struct EngineError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// The request itself is wrong: a token out of range, an empty prompt.
        case invalidRequest
        /// The prompt leaves no room in the context.
        case contextLengthExceeded
        /// The queue is full; try again later.
        case overloaded
        /// The model cannot run now: a worker is missing or loading.
        case unavailable
        /// The sequence was lost with a worker or failed in computing.
        case failed
    }

    package let code: Code
    /// One line that names the place, what was found and what was expected.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
