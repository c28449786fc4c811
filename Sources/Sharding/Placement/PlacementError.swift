/// Why there is no plan, with the arithmetic and what would have to change.
package struct PlacementError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        case noWorkers
        case doesNotFit
        /// Manual layers overlap, leave a hole or exceed the model.
        case invalidSelection
        /// A stage could not send to the next one.
        case unreachable
    }

    package let code: Code
    /// One line: the place, what is needed, what there is; a hint.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
