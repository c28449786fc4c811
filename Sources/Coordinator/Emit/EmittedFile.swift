/// A file for an engine that starts the processes.
package struct EmittedFile: Sendable, Hashable {
    /// Relative to the folder that it is written to; its parts are names of ours or of workers.
    package var path: String
    package var text: String
    /// Whether it holds secrets, so that only its owner may read it.
    package var isSecret: Bool

    package init(_ path: String, _ text: String, isSecret: Bool = false) {
        self.path = path
        self.text = text
        self.isSecret = isSecret
    }

    /// A line of comment in any of the formats; what could end the line is replaced.
    static func comment(_ line: String) -> String {
        let line = line.onOneLine
        return line.isEmpty ? "#" : "# \(line)"
    }
}

extension String {
    /// Without line breaks and control characters, for comments and messages.
    var onOneLine: String {
        String(
            String.UnicodeScalarView(
                unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator, .format: "\u{FFFD}"
                    default: scalar
                    }
                }))
    }
}
