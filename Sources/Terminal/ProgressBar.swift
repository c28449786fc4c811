import Foundation
import Synchronization

/// A bar on stderr for work of known size, redrawn in place from any thread; draws nothing where it is not shown.
///
///     splitting  [#########-----------]  45 %  2.2 of 4.9 GB
package final class ProgressBar: Sendable {
    private let title: String
    private let isShown: Bool
    private let lastPercent = Mutex(-1)

    private static let width = 24

    package init(_ title: String, isShown: Bool) {
        self.title = title
        self.isShown = isShown
    }

    /// Shows `done` of `total` bytes; redraws when the percentage changed.
    package func update(done: Int, total: Int) {
        guard isShown, total > 0 else { return }
        let percent = min(100, done * 100 / total)
        lastPercent.withLock { lastPercent in
            guard percent != lastPercent else { return }
            lastPercent = percent
            let size = "\(ByteText.text(done)) of \(ByteText.text(total))"
            StandardError.write(raw: "\r\u{1B}[K\(title)  \(Self.bar(percent: percent)) \(percent) %  \(size)")
        }
    }

    /// Removes the bar, so that what is printed next stands on a line of its own.
    package func finish() {
        lastPercent.withLock { lastPercent in
            guard isShown, lastPercent >= 0 else { return }
            StandardError.write(raw: "\r\u{1B}[K")
            lastPercent = -1
        }
    }

    package static func bar(percent: Int) -> String {
        let filled = max(0, min(width, percent * width / 100))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "]"
    }
}

/// Byte counts for people: powers of 1024, three digits.
package enum ByteText {
    package static func text(_ bytes: Int) -> String {
        var value = Double(bytes)
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while abs(value) >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(bytes) B" : String(format: value < 10 ? "%.2f %@" : "%.1f %@", value, units[unit])
    }
}
