/// Pieces of systemd's unit and environment files.
enum UnitText {
    /// One word of a command line or of a list of paths, taken as it is: no specifier, no variable.
    static func word(_ text: String) -> String { quoted(text.replacing("%", with: "%%").replacing("$", with: "$$")) }

    /// A path in a list of paths, which has no variables.
    static func path(_ path: String) -> String { quoted(path.replacing("%", with: "%%")) }

    /// One word of a variable that systemd splits into words.
    static func flag(_ text: String) -> String { quoted(text) }

    /// A line of an environment file.
    static func variable(_ name: String, _ value: String) -> String {
        var escaped = ""
        for character in value {
            if "\"\\`$".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return "\(name)=\"\(escaped)\"\n"
    }

    private static func quoted(_ text: String) -> String {
        guard text.isEmpty || text.contains(where: { " \t\"'\\;#".contains($0) }) else { return text }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
