/// Why a message was not sent or not accepted: which one, which field, what was expected and what was found.
package struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// Shorter or longer than its own lengths say.
        case length
        /// Not a message of this protocol.
        case magic
        /// A message of another protocol number.
        case version
        /// A message that this end does not know, or does not take here.
        case type
        /// The checksum does not fit the bytes.
        case checksum
        /// A field is out of its range or does not fit another one.
        case field
    }

    package let code: Code
    /// The message: `step`, `hello`; `message` where it is not known.
    package let message: String
    package let field: String
    package let expected: String
    package let got: String

    package init(_ code: Code, message: String, field: String, expected: String, got: String) {
        self.code = code
        self.message = message
        self.field = field
        self.expected = expected
        self.got = got
    }

    package var description: String { "\(message): \(field): expected \(expected), got \(got)" }
}
