/// Why a shard cannot run, or a step cannot be computed.
package struct InferenceError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// A tensor that the model needs is not in its files.
        case missingTensor
        /// Sizes that must agree do not.
        case shapeMismatch
        /// A layer range, row count or other option that cannot be.
        case invalidOption
        /// A step that does not follow from the earlier ones: unknown sequence, a hole in its positions.
        case invalidStep
        /// No cache block is left.
        case cacheFull
        /// The device failed.
        case device
        /// Reading weights failed.
        case weights
    }

    package let code: Code
    /// Tensor, sequence or option.
    package let place: String
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, place: String, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.place = place
        self.message = message
        self.cause = cause
    }

    package var description: String {
        guard let cause else { return "\(place): \(message)" }
        return message.isEmpty ? "\(place): \(cause)" : "\(place): \(message): \(cause)"
    }
}
