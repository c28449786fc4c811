import Foundation

/// Lines over two logarithmic axes, in panels side by side that share them.
///
/// Plain SVG 1.1 like ``BenchmarkPlot``.
package struct LinePlot {
    package struct Line: Sendable {
        package var name: String
        package var points: [(x: Double, y: Double)]
        package var isDashed: Bool

        /// - Parameter points: above 0.
        package init(_ name: String, _ points: [(x: Double, y: Double)], isDashed: Bool = false) {
            self.name = name
            self.points = points.filter { $0.x > 0 && $0.y > 0 && $0.x.isFinite && $0.y.isFinite }
            self.isDashed = isDashed
        }
    }

    package struct Panel: Sendable {
        package var title: String
        package var lines: [Line]

        package init(_ title: String, _ lines: [Line]) {
            self.title = title
            self.lines = lines
        }
    }

    private let title: String
    private let note: String
    private let axes: (x: String, y: String)
    private let panels: [Panel]
    /// Names of lines in the order in which they come; a name has one colour in all panels.
    private let names: [String]
    /// Values that the axes have ticks at, the first and the last at their ends.
    private let xTicks: [Double]
    private let yTicks: [Double]

    private static let left = 70.0
    private static let top = 104.0
    private static let panelWidth = 330.0
    private static let panelHeight = 260.0
    private static let gap = 30.0
    private static let letterWidth = 7.2

    /// - Parameter axes: what they show, with units.
    package init(title: String, note: String, axes: (x: String, y: String), panels: [Panel]) {
        self.title = title
        self.note = note
        self.axes = axes
        self.panels = panels
        let lines = panels.flatMap(\.lines)
        names = lines.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        xTicks = Array(Set(lines.flatMap { $0.points.map(\.x) })).sorted()
        yTicks = Self.decades(around: lines.flatMap { $0.points.map(\.y) })
    }

    package func svg() -> String {
        let count = Double(max(1, panels.count))
        let plots = count * Self.panelWidth + (count - 1) * Self.gap
        let longest = names.map(\.count).max() ?? 0
        let width = Self.left + plots + 62 + Double(longest) * Self.letterWidth
        let bottom = Self.top + Self.panelHeight
        var body = [
            SVG.text(20, 30, title, style: "title"), SVG.text(20, 52, note, style: "note"),
            SVG.text(20, 76, axes.y, style: "note"),
            SVG.text(Self.left + plots / 2, bottom + 42, axes.x, style: "tick"),
        ]
        for (index, panel) in panels.enumerated() {
            let x = Self.left + Double(index) * (Self.panelWidth + Self.gap)
            body += grid(at: x, hasNumbers: index == 0)
            body.append(SVG.text(x, Self.top - 8, panel.title, style: "test"))
            body += panel.lines.map { draw($0, at: x) }
        }
        for (index, name) in names.enumerated() {
            let y = Self.top + 12 + Double(index) * 20
            let x = Self.left + plots + 14
            let isDashed = panels.flatMap(\.lines).first { $0.name == name }?.isDashed ?? false
            body.append(Self.path([(x, y - 4), (x + 22, y - 4)], colour: index, isDashed: isDashed))
            body.append(SVG.text(x + 28, y, name, style: "value"))
        }
        return ([SVG.head(width: width, height: bottom + 60)] + body + ["</svg>", ""]).joined(separator: "\n")
    }

    private func grid(at left: Double, hasNumbers: Bool) -> [String] {
        var lines: [String] = []
        for tick in yTicks {
            let y = place(y: tick)
            lines.append(SVG.line(left, y, left + Self.panelWidth, y, style: "grid"))
            if hasNumbers { lines.append(SVG.text(left - 8, y + 4, Self.number(tick), style: "name")) }
        }
        for tick in xTicks {
            let x = place(x: tick, from: left)
            lines.append(SVG.line(x, Self.top, x, Self.top + Self.panelHeight, style: "grid"))
            lines.append(SVG.text(x, Self.top + Self.panelHeight + 18, Self.number(tick), style: "tick"))
        }
        return lines
    }

    private func draw(_ line: Line, at left: Double) -> String {
        let colour = names.firstIndex(of: line.name) ?? 0
        let points = line.points.sorted { $0.x < $1.x }.map { (place(x: $0.x, from: left), place(y: $0.y)) }
        let dots = points.map { x, y in
            "<circle cx=\"\(SVG.place(x))\" cy=\"\(SVG.place(y))\" r=\"3\" fill=\"\(SVG.colour(colour))\"/>"
        }
        return ([Self.path(points, colour: colour, isDashed: line.isDashed)] + dots).joined(separator: "\n")
    }

    private static func path(_ points: [(Double, Double)], colour: Int, isDashed: Bool) -> String {
        let list = points.map { "\(SVG.place($0)),\(SVG.place($1))" }.joined(separator: " ")
        let dashes = isDashed ? " stroke-dasharray=\"5 4\"" : ""
        return
            "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(SVG.colour(colour))\" stroke-width=\"2\"\(dashes)/>"
    }

    private func place(x: Double, from left: Double) -> Double {
        left + Self.share(of: x, in: xTicks) * Self.panelWidth
    }

    private func place(y: Double) -> Double { Self.top + (1 - Self.share(of: y, in: yTicks)) * Self.panelHeight }

    /// How far it is from the first tick to the last.
    private static func share(of value: Double, in ticks: [Double]) -> Double {
        guard let first = ticks.first, let last = ticks.last, first < last else { return 0.5 }
        return (log10(value) - log10(first)) / (log10(last) - log10(first))
    }

    /// Powers of ten from below the least to above the largest, at least two.
    static func decades(around values: [Double]) -> [Double] {
        guard let least = values.min(), let most = values.max() else { return [1, 10] }
        let first = Int(log10(least).rounded(.down))
        let last = max(first + 1, Int(log10(most).rounded(.up)))
        return (first...last).map { pow(10, Double($0)) }
    }

    private static func number(_ value: Double) -> String {
        value >= 1 ? String(format: "%.0f", value) : String(format: "%g", value)
    }
}
