import Foundation
import Serving
import Terminal

/// Where the table is shown: drawn over on a terminal, else one after the other on stdout.
struct TopScreen {
    private let isDrawn: Bool
    private var table: [String] = []

    /// - Parameter isDrawn: whether it may be drawn over, where there is a terminal.
    init(isDrawn: Bool) { self.isDrawn = isDrawn && isatty(STDOUT_FILENO) == 1 }

    mutating func show(_ summary: ClusterSummary) {
        table = TopTable(summary: summary, width: Self.size.columns).lines
        if isDrawn { draw(table) } else { StandardOutput.write(lines: table) }
    }

    /// Lines above the table, which stays as it was.
    func say(_ text: String) {
        guard isDrawn else { return StandardError.write(Program.singleLine(text)) }
        draw(TopTable.wrapped(Program.singleLine(text), width: Self.size.columns) + [""] + table)
    }

    /// From the top left corner; what stood there before is cleared line by line, so that nothing flickers.
    private func draw(_ lines: [String]) {
        let lines = lines.prefix(max(1, Self.size.rows - 1))
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
