import Foundation

/// Pieces that drawings are made of.
package enum SVG {
    /// What plots look like, in light and in dark.
    package static let style = """
        <style>
        text { font: 13px sans-serif; fill: #222222; }
        .paper { fill: #ffffff; }
        .title { font-size: 18px; font-weight: bold; }
        .test { font-size: 14px; font-weight: bold; }
        .note, .tick { fill: #666666; font-size: 12px; }
        .name { text-anchor: end; }
        .tick { text-anchor: middle; }
        .grid { stroke: #dddddd; }
        .whisker { stroke: #222222; stroke-width: 1.5; }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6e6e6; }
        .paper { fill: #1b1b1b; }
        .note, .tick { fill: #a0a0a0; }
        .grid { stroke: #3a3a3a; }
        .whisker { stroke: #f4f4f4; }
        }
        </style>
        """

    /// Colours that differ for most eyes, and show on white and on black (Tol 2021, "bright").
    private static let colours = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999999"]

    static func colour(_ index: Int) -> String { colours[index % colours.count] }

    /// The beginning of a drawing, with its background.
    static func head(width: Double, height: Double) -> String {
        let (width, height) = (place(width), place(height))
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)">
            \(style)
            <rect class="paper" width="100%" height="100%"/>
            """
    }

    package static func place(_ value: Double) -> String { String(format: "%.1f", value) }

    package static func text(_ x: Double, _ y: Double, _ text: String, style: String) -> String {
        "<text x=\"\(place(x))\" y=\"\(place(y))\" class=\"\(style)\">\(escaped(text))</text>"
    }

    package static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, style: String) -> String {
        "<line x1=\"\(place(x1))\" y1=\"\(place(y1))\" x2=\"\(place(x2))\" y2=\"\(place(y2))\" class=\"\(style)\"/>"
    }

    /// Names come from files: what XML cannot hold becomes a question mark.
    package static func escaped(_ text: String) -> String {
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
