/// Words as a POSIX shell reads them back.
package enum ShellText {
    /// The word itself where the shell leaves it alone, otherwise in single quotes.
    package static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.utf8.allSatisfy(isPlain)
        return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_-./:@%+,".utf8.contains(byte)
        }
    }
}

/// Values as YAML reads them back.
package enum YAMLText {
    /// In double quotes, where nothing has a meaning but what is escaped here.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\0"..." ", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                quoted += scalar == " " ? " " : "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Without quotes where it is a plain word that YAML takes for nothing but text.
    package static func key(_ text: String) -> String {
        let words: Set = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        let first = text.utf8.first ?? 0
        let isWord =
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "-_.".utf8.contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
        return isWord && !words.contains(text.lowercased()) ? text : quoted(text)
    }
}
