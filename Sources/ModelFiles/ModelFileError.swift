/// What is wrong with a model file, where, and what to do about it.
package struct ModelFileError: Error, Sendable, Hashable {
    package enum Code: Sendable, Hashable {
        /// No such file, or no right to read it.
        case unreadable
        /// The file is something else, or of a version or kind that is not read here.
        case unsupported
        /// A length, count or offset leads beyond the end.
        case truncated
        /// Bytes that the format does not allow.
        case malformed
        /// The same key, tensor or range twice.
        case duplicate
        /// A key or file that must be there is not.
        case missing
        /// A value that contradicts another one.
        case mismatch
        /// More than any sensible file has.
        case limit
    }

    package var code: Code
    /// Name of the file, without its folder where it could be opened.
    package var file: String
    /// Key, tensor or part of the file.
    package var field: String
    /// Where in the file, in bytes, when that is known.
    package var offset: Int?
    package var expected: String
    package var got: String
    package var hint: String?

    package init(
        _ code: Code, file: String, field: String, offset: Int? = nil, expected: String, got: String,
        hint: String? = nil
    ) {
        self.code = code
        self.file = file
        self.field = field
        self.offset = offset
        self.expected = expected
        self.got = got
        self.hint = hint
    }
}

extension ModelFileError: CustomStringConvertible {
    package var description: String {
        let place = offset.map { " at byte \($0)" } ?? ""
        let advice = hint.map { "; \($0.onOneLine)" } ?? ""
        return "\(file.onOneLine): \(field.onOneLine)\(place): expected \(expected), got \(got.onOneLine)\(advice)"
    }
}

extension String {
    /// The text with control characters escaped and at most 160 characters: names in broken files can hold anything.
    package var onOneLine: String {
        var line = ""
        for scalar in unicodeScalars.prefix(160) {
            if scalar.value < 0x20 || scalar.value == 0x7F || (0x80..<0xA0).contains(scalar.value)
                || (0x2028...0x202E).contains(scalar.value)
            {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return unicodeScalars.count > 160 ? line + "…" : line
    }
}
