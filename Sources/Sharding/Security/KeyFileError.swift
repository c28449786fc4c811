/// Why a key file, or a public key, cannot be used. Never holds a secret key, nor what could be one.
package struct KeyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// There is a file already; keys are never overwritten.
        case exists
        /// The file is not as it must be.
        case refused
        /// The system refused to read or write.
        case system
    }

    package let code: Code
    /// A file, as it was named, or what the text was given as.
    package let place: String
    package let field: String?
    package let expected: String
    package let got: String
    package let hint: String?

    init(
        _ code: Code, place: String, field: String? = nil, expected: String, got: String, hint: String? = nil
    ) {
        self.code = code
        self.place = place
        self.field = field
        self.expected = expected
        self.got = got
        self.hint = hint
    }

    package var description: String {
        let field = field.map { "\($0): " } ?? ""
        let hint = hint.map { "; \($0)" } ?? ""
        return "\(place): \(field)expected \(expected), got \(got)\(hint)"
    }
}
