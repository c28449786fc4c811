/// Why tensors could not be kept, served or fetched: the place, what was expected and found, what to do.
package struct WeightTransferError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// The system refused to read or write.
        case system
        /// The disk has no room.
        case diskFull
        /// The cache may not grow that far, and what is in it is in use.
        case cacheFull
        /// Another process has been writing the same tensor for too long.
        case busy
        /// Bytes that do not have the hash that they were asked for by.
        case mismatch
        /// No source is left that has what is wanted.
        case sources
        /// A socket could not be made or used.
        case network
        /// The model or its description cannot be read, or does not fit.
        case model
        case cancelled
    }

    package let code: Code
    /// A file, a folder, an endpoint or a tensor.
    package let place: String
    package let field: String?
    package let expected: String
    package let got: String
    package let hint: String?
    /// What a lower level said, in its own words.
    package let cause: (any Error)?

    package init(
        _ code: Code, place: String, field: String? = nil, expected: String, got: String, hint: String? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.place = place
        self.field = field
        self.expected = expected
        self.got = got
        self.hint = hint
        self.cause = cause
    }

    /// Wraps an error of a lower level, whose one line says everything.
    package init(_ code: Code, _ cause: any Error) {
        self.init(code, place: "", expected: "", got: "", cause: cause)
    }

    package var description: String {
        if let cause, place.isEmpty { return String(describing: cause) }
        let field = field.map { "\($0): " } ?? ""
        let hint = hint.map { "; \($0)" } ?? ""
        return "\(place): \(field)expected \(expected), got \(got)\(hint)"
    }
}
