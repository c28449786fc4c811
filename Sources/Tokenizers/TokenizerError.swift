import ModelFiles

/// Why a tokenizer could not be read, a text not be encoded, or a template not be rendered.
package struct TokenizerError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// A file that could not be read or is not what its name says.
        case unreadable
        /// A field with a value that cannot be.
        case malformed
        /// Something valid that this program does not know; the message names it.
        case unsupported
        /// A token id outside of the vocabulary.
        case unknownToken
        /// A bound on size, depth, steps or time was reached.
        case limit
        /// A template that does not parse, or went wrong while it ran.
        case template
        /// A template called `raise_exception`; ``message`` is what it said.
        case raised
    }

    package let code: Code
    /// File and field, or template and line.
    package let place: String
    package let message: String
    package let hint: String?

    package init(_ code: Code, _ place: String, _ message: String, hint: String? = nil) {
        self.code = code
        self.place = place
        self.message = message
        self.hint = hint
    }

    /// A model file that could not be read as the tokenizer needs it.
    init(_ error: ModelFileError) {
        let code: Code =
            switch error.code {
            case .unreadable, .missing: .unreadable
            case .unsupported: .unsupported
            case .limit: .limit
            default: .malformed
            }
        self.init(
            code, "\(error.file): \(error.field)", "expected \(error.expected), got \(error.got)", hint: error.hint)
    }

    /// Runs what may fail with an error of a model file.
    static func wrapping<Value>(
        _ read: () throws(ModelFileError) -> Value
    ) throws(TokenizerError) -> Value {
        do {
            return try read()
        } catch {
            throw TokenizerError(error)
        }
    }

    /// One line, whatever the parts hold.
    package var description: String {
        var line = "\(place): \(message)"
        if let hint { line += "; \(hint)" }
        return Self.oneLine(line)
    }

    /// Text from outside as it may stand in a message: control characters escaped, long text cut.
    static func quoted(_ text: some StringProtocol) -> String {
        let shown = text.unicodeScalars.prefix(60)
        let isCut = shown.endIndex < text.unicodeScalars.endIndex
        return "'" + oneLine(String(String.UnicodeScalarView(shown))) + (isCut ? "…'" : "'")
    }

    private static func oneLine(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.properties.isBidiControl {
                line.append(contentsOf: scalar.escaped(asASCII: true).unicodeScalars)
            } else {
                line.append(scalar)
            }
        }
        return String(line)
    }
}
