import Foundation

/// Reads lines from a person: editing keys and history on a terminal, plain lines from a pipe.
///
/// Keys: arrows, Home, End, Backspace, Delete, Ctrl-A, -E, -B, -F, -K, -U, -W, -L; up and down walk the history.
package final class LineEditor {
    package enum Input: Equatable {
        case line(String)
        /// Ctrl-C: the line was given up.
        case interrupted
        /// Ctrl-D on an empty line, or the end of a pipe.
        case end
    }

    private static let historyMax = 1000

    private var history: [String] = []
    private let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1
    private var keys = KeyReader()

    package init() {}

    /// Shows `prompt` on stderr and waits for a line. Blocks its thread.
    package func read(prompt: String) -> Input {
        guard isTerminal, let raw = RawMode() else {
            guard let line = readLine(strippingNewline: true) else { return .end }
            return .line(line)
        }
        defer { raw.restore() }
        var state = LineState(history: history)
        while true {
            draw(prompt, state)
            guard let key = keys.next() else { return leave(.end) }
            switch key {
            case .enter:
                if !state.text.isEmpty, history.last != state.text {
                    history = (history + [state.text]).suffix(Self.historyMax)
                }
                return leave(.line(state.text))
            case .control("c"):
                return leave(.interrupted)
            case .control("d") where state.text.isEmpty:
                return leave(.end)
            case .control("l"):
                StandardError.write(raw: "\u{1B}[H\u{1B}[2J")
            default:
                state.apply(key)
            }
        }
    }

    private func leave(_ input: Input) -> Input {
        StandardError.write(raw: "\r\n")
        return input
    }

    /// Redraws the one line; what is wider than the window scrolls with the cursor.
    private func draw(_ prompt: String, _ state: LineState) {
        var window = winsize()
        let columns = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window) == 0 ? max(20, Int(window.ws_col)) : 80
        let room = max(1, columns - prompt.count - 1)
        let start = max(0, state.cursor - room)
        let visible = state.characters[start...].prefix(room)
        let column = prompt.count + state.cursor - start
        StandardError.write(raw: "\r\u{1B}[K\(prompt)\(String(visible))\r\u{1B}[\(column)C")
    }
}

/// The text being edited, as a value: keys in, text and cursor out.
struct LineState {
    private(set) var characters: [Character] = []
    /// Characters before the cursor.
    private(set) var cursor = 0
    private let history: [String]
    private var place: Int
    private var unfinished: [Character] = []

    init(history: [String]) {
        self.history = history
        place = history.count
    }

    var text: String { String(characters) }

    mutating func apply(_ key: Key) {
        switch key {
        case .character(let character):
            characters.insert(character, at: cursor)
            cursor += 1
        case .backspace, .control("h"):
            guard cursor > 0 else { return }
            cursor -= 1
            characters.remove(at: cursor)
        case .delete, .control("d"):
            guard cursor < characters.count else { return }
            characters.remove(at: cursor)
        case .left, .control("b"): cursor = max(0, cursor - 1)
        case .right, .control("f"): cursor = min(characters.count, cursor + 1)
        case .home, .control("a"): cursor = 0
        case .end, .control("e"): cursor = characters.count
        case .control("k"): characters.removeSubrange(cursor...)
        case .control("u"):
            characters.removeSubrange(..<cursor)
            cursor = 0
        case .control("w"):
            let start = wordStart()
            characters.removeSubrange(start..<cursor)
            cursor = start
        case .up, .control("p"): recall(place - 1)
        case .down, .control("n"): recall(place + 1)
        case .enter, .control, .unknown: break
        }
    }

    private func wordStart() -> Int {
        var start = cursor
        while start > 0, characters[start - 1] == " " { start -= 1 }
        while start > 0, characters[start - 1] != " " { start -= 1 }
        return start
    }

    /// Shows a line of the history; past its end stands what was being typed.
    private mutating func recall(_ wanted: Int) {
        guard wanted >= 0, wanted <= history.count else { return }
        if place == history.count { unfinished = characters }
        place = wanted
        characters = wanted == history.count ? unfinished : Array(history[wanted])
        cursor = characters.count
    }
}

/// A terminal without line editing and echo of its own, until it is restored.
private struct RawMode {
    private var before = termios()

    init?() {
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var raw = before
        cfmakeraw(&raw)
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 else { return nil }
    }

    func restore() {
        var before = before
        tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
    }
}
