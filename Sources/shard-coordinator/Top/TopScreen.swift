import Foundation
import Serving
import Terminal

/// Where the table is shown: drawn over on a terminal, else one after the other on stdout.
struct TopScreen {
    private let isDrawn: Bool

    /// - Parameter isDrawn: whether it may be drawn over, where there is a terminal.
    init(isDrawn: Bool) { self.isDrawn = isDrawn && isatty(STDOUT_FILENO) == 1 }

    func show(_ summary: ClusterSummary) {
        let (columns, rows) = Self.size
        let lines = TopTable(summary: summary, width: columns).lines
        guard isDrawn else { return StandardOutput.write(lines: lines) }
        draw(Array(lines.prefix(max(1, rows - 1))))
    }

    /// One line in place of the table.
    func say(_ line: String) {
        guard isDrawn else { return StandardError.write(Program.singleLine(line)) }
        draw([String(Program.singleLine(line).prefix(Self.size.columns))])
    }

    /// From the top left corner; what stood there before is cleared line by line, so that nothing flickers.
    private func draw(_ lines: [String]) {
        StandardOutput.write(raw: "\u{1B}[H" + lines.map { $0 + "\u{1B}[K\r\n" }.joined() + "\u{1B}[J")
    }

    private static var size: (columns: Int, rows: Int) {
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (100, 50)
        }
        return (Int(window.ws_col), Int(window.ws_row))
    }
}
