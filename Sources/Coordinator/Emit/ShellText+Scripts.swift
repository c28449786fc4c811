import Sharding

extension ShellText {
    /// Each text as one word of its own.
    static func words(_ texts: [String]) -> String { texts.map(quoted).joined(separator: " ") }

    /// `command <<'END'` with the text as it is; the mark is none of its lines.
    static func command(_ command: String, reading text: String) -> String {
        let lines = Set(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        var mark = "END"
        while lines.contains(mark) { mark += "_" }
        return "\(command) <<'\(mark)'\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(mark)\n"
    }
}
