import Synchronization

/// One line on stderr that is redrawn in place from any thread; draws nothing where it is not shown.
package final class StatusLine: Sendable {
    private let isShown: Bool
    private let drawn = Mutex("")

    package init(isShown: Bool) { self.isShown = isShown }

    package func show(_ text: String) {
        guard isShown else { return }
        drawn.withLock { drawn in
            guard text != drawn else { return }
            drawn = text
            StandardError.write(raw: "\r\u{1B}[K" + Program.singleLine(text))
        }
    }

    /// Removes the line, so that what is printed next stands on one of its own.
    package func clear() {
        drawn.withLock { drawn in
            guard !drawn.isEmpty else { return }
            drawn = ""
            StandardError.write(raw: "\r\u{1B}[K")
        }
    }
}
