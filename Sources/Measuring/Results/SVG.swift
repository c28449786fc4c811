import Foundation

/// Pieces that drawings are made of.
enum SVG {
    static func place(_ value: Double) -> String { String(format: "%.1f", value) }

    static func text(_ x: Double, _ y: Double, _ text: String, style: String) -> String {
        "<text x=\"\(place(x))\" y=\"\(place(y))\" class=\"\(style)\">\(escaped(text))</text>"
    }

    static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, style: String) -> String {
        "<line x1=\"\(place(x1))\" y1=\"\(place(y1))\" x2=\"\(place(x2))\" y2=\"\(place(y2))\" class=\"\(style)\"/>"
    }

    /// Names come from files: what XML cannot hold becomes a question mark.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
