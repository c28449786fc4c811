import Foundation

/// Lines for a person, beside the results on stdout.
package enum StandardError {
    /// Whether stderr is a terminal, where progress may be drawn over.
    package static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    package static func write(_ lines: [String]) {
        write(raw: lines.map { $0 + "\n" }.joined())
    }

    package static func write(_ line: String) { write([line]) }

    /// Writes all of it or gives up when nobody reads; never throws.
    package static func write(raw text: String) {
        writeAll(text, to: STDERR_FILENO)
    }
}

/// Results.
package enum StandardOutput {
    package static func write(_ line: String) { write(raw: line + "\n") }

    package static func write(lines: [String]) { write(raw: lines.map { $0 + "\n" }.joined()) }

    /// Writes at once, so that a streamed answer appears as it comes.
    ///
    /// Ends the process where nobody reads any more: whatever it would compute is of no use.
    package static func write(raw text: String) {
        guard writeAll(text, to: STDOUT_FILENO) else { Foundation.exit(ProgramExit.failedWhileRunning.rawValue) }
    }
}

/// False when nobody reads.
@discardableResult
private func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
