/// Pieces of a shell script.
enum ShellText {
    /// The text as one word: itself where the shell leaves it alone, otherwise in single quotes.
    static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_-./:@%+,".utf8.contains(byte)
        }
        return isPlain && !text.isEmpty ? text : WorkerProgram.quoted(text)
    }

    static func words(_ texts: [String]) -> String { texts.map(word).joined(separator: " ") }

    /// `command <<'END'` with the text as it is; the mark is none of its lines.
    static func command(_ command: String, reading text: String) -> String {
        let lines = Set(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
        var mark = "END"
        while lines.contains(mark) { mark += "_" }
        return "\(command) <<'\(mark)'\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(mark)\n"
    }
}
