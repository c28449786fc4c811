/// Why a model could not be split, or a shard folder could not be used.
package struct ShardingError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// The model cannot be read, or its family is unknown.
        case model
        /// `manifest.json` is missing, or says what cannot be.
        case manifest
        /// A file is not the one that the manifest names.
        case mismatch
        /// The folder to write is there already.
        case exists
        case noSpace
        /// The system refused to read or write.
        case system
        case cancelled
        /// The caller asked for what makes no sense.
        case request
    }

    package let code: Code
    /// A file or folder.
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

    /// Wraps the error of a model file, whose one line says everything.
    package init(_ cause: any Error) {
        self.init(.model, place: "", expected: "", got: "", cause: cause)
    }

    package var description: String {
        if let cause, place.isEmpty { return String(describing: cause) }
        let field = field.map { "\($0): " } ?? ""
        let hint = hint.map { "; \($0)" } ?? ""
        return "\(place): \(field)expected \(expected), got \(got)\(hint)"
    }
}
