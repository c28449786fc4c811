import ModelFiles

/// Why a file cannot be understood as a model of a known family.
package struct ModelError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The file itself is broken; `cause` says how.
        case file
        case unknownFamily
        /// The family is known, this variant of it is not.
        case unsupported
        case missingTensor
        case shapeMismatch
        /// A tensor that the family does not explain; ignoring it could change answers.
        case unexpectedTensor
    }

    package let code: Code
    /// Name of the file or folder.
    package let file: String
    /// A key or a tensor.
    package let field: String
    package let expected: String
    package let got: String
    package let hint: String?
    package let cause: ModelFileError?

    init(_ code: Code, file: String, field: String, expected: String, got: String, hint: String? = nil) {
        self.code = code
        self.file = file
        self.field = field
        self.expected = expected
        self.got = got
        self.hint = hint
        cause = nil
    }

    init(_ cause: ModelFileError) {
        code = .file
        file = cause.file
        field = cause.field
        expected = cause.expected
        got = cause.got
        hint = cause.hint
        self.cause = cause
    }

    package var description: String {
        if let cause { return cause.description }
        let advice = hint.map { "; \($0.onOneLine)" } ?? ""
        return "\(file.onOneLine): \(field.onOneLine): expected \(expected), got \(got.onOneLine)\(advice)"
    }
}
