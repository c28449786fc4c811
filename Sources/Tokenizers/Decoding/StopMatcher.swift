/// Finds stop strings in text that arrives in pieces, across their borders.
///
/// Text is held back only while it could be the beginning of a stop string. Comparison is by UTF-8 bytes, so
/// nothing depends on how a character is composed.
package struct StopMatcher: Sendable {
    package struct Piece: Sendable, Hashable {
        /// Text that is safe to show.
        package var text: String
        /// Whether a stop string was found; it and what follows are not part of the text.
        package var isStopped: Bool
    }

    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    private var isStopped = false

    /// - Parameter stops: empty strings are ignored.
    package init(_ stops: [String]) {
        self.stops = stops.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// Takes the next piece of text; after a stop everything is swallowed.
    package mutating func append(_ text: String) -> Piece {
        guard !isStopped else { return Piece(text: "", isStopped: true) }
        guard !stops.isEmpty else { return Piece(text: text, isStopped: false) }
        held.append(contentsOf: text.utf8)
        if let start = firstMatch() {
            isStopped = true
            let text = String(decoding: held[..<start], as: UTF8.self)
            held = []
            return Piece(text: text, isStopped: true)
        }
        let safe = held.count - longestOpenSuffix()
        let shown = String(decoding: held[..<safe], as: UTF8.self)
        held.removeFirst(safe)
        return Piece(text: shown, isStopped: false)
    }

    /// The text still held back, when no more will come.
    package mutating func flush() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }

    private func firstMatch() -> Int? {
        held.indices.first { start in
            stops.contains { held[start...].starts(with: $0) }
        }
    }

    /// Bytes at the end of `held` that begin a stop string; a stop string begins with a whole character, so the
    /// cut never divides one.
    private func longestOpenSuffix() -> Int {
        let longest = stops.lazy.map { $0.count - 1 }.max() ?? 0
        for length in stride(from: min(longest, held.count), to: 0, by: -1) {
            let suffix = held.suffix(length)
            if stops.contains(where: { $0.count > length && $0.starts(with: suffix) }) { return length }
        }
        return 0
    }
}
