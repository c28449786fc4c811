import Foundation

/// A report as a drawing: bars of tokens a second, with whiskers from the lowest to the highest, one group a test.
///
/// Plain SVG 1.1 without scripts or fonts of its own. It brings its background, so that it can be read wherever it is
/// shown; viewers that know dark mode get dark colours.
package struct BenchmarkPlot {
    private let report: BenchmarkReport
    private let groups: [(test: String, results: [BenchmarkReport.Result])]
    /// Where bars begin.
    private let left: Double
    private let hasModes: Bool

    private static let barWidthMax = 380.0
    private static let valueWidth = 300.0
    private static let barHeight = 16.0
    private static let barStep = 26.0
    private static let margin = 20.0
    private static let titleHeight = 34.0
    private static let axisHeight = 30.0
    private static let letterWidth = 7.2
    private static let nameLengthMax = 40

    package init(_ report: BenchmarkReport) {
        self.report = report
        var groups: [(test: String, results: [BenchmarkReport.Result])] = []
        for result in report.results {
            if let index = groups.firstIndex(where: { $0.test == result.test }) {
                groups[index].results.append(result)
            } else {
                groups.append((result.test, [result]))
            }
        }
        self.groups = groups
        hasModes = Set(report.results.map(\.mode)).count > 1
        let longest = report.results.map { Self.label($0, hasModes: true).count }.max() ?? 0
        left = Self.margin + Double(longest) * Self.letterWidth + 10
    }

    package func svg() -> String {
        let models = report.results.map(\.model).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        var body: [String] = []
        var y = Self.margin + 22
        body.append(SVG.text(Self.margin, y, "Tokens a second", style: "title"))
        let machine = report.machine
        y += 20
        body.append(
            SVG.text(
                Self.margin, y, "\(machine.cpu), \(machine.cores) cores, \(machine.kernels), \(machine.os)",
                style: "note"))
        y += 6
        for group in groups {
            body += draw(group.results, test: group.test, models: models, top: y)
            y += Self.titleHeight + Double(group.results.count) * Self.barStep + Self.axisHeight
        }
        let width = left + Self.barWidthMax + Self.valueWidth + Self.margin
        return ([SVG.head(width: width, height: y + Self.margin)] + body + ["</svg>", ""]).joined(separator: "\n")
    }

    private func draw(
        _ results: [BenchmarkReport.Result], test: String, models: [String], top: Double
    ) -> [String] {
        let highest = results.map(\.tokensPerSecond.high).max() ?? 1
        let scale = Self.barWidthMax / highest
        let firstBar = top + Self.titleHeight
        let end = firstBar + Double(results.count) * Self.barStep
        var lines = [SVG.text(Self.margin, top + Self.titleHeight - 10, test, style: "test")]
        for tick in Self.ticks(to: highest) {
            let x = left + tick * scale
            lines.append(SVG.line(x, firstBar - 2, x, end, style: "grid"))
            lines.append(SVG.text(x, end + 14, Self.number(tick), style: "tick"))
        }
        for (index, result) in results.enumerated() {
            let y = firstBar + Double(index) * Self.barStep + (Self.barStep - Self.barHeight) / 2
            let colour = SVG.colour(models.firstIndex(of: result.model) ?? 0)
            lines += draw(result, y: y, scale: scale, colour: colour)
        }
        return lines
    }

    private func draw(_ result: BenchmarkReport.Result, y: Double, scale: Double, colour: String) -> [String] {
        let speed = result.tokensPerSecond
        let middle = y + Self.barHeight / 2
        let (low, high) = (left + speed.low * scale, left + speed.high * scale)
        var value = Self.number(speed.median)
        if speed.samples.count > 1 { value += " (\(Self.number(speed.low))–\(Self.number(speed.high)))" }
        if let share = result.share, let limit = result.limit {
            value += ", \(Int((share * 100).rounded())) % of \(limit.rawValue)"
        }
        return [
            SVG.text(left - 8, middle + 4, Self.label(result, hasModes: hasModes), style: "name"),
            "<rect x=\"\(Self.number(left))\" y=\"\(Self.number(y))\" width=\"\(SVG.place(speed.median * scale))\" "
                + "height=\"\(SVG.place(Self.barHeight))\" fill=\"\(colour)\"/>",
            SVG.line(low, middle, high, middle, style: "whisker"),
            SVG.line(low, middle - 4, low, middle + 4, style: "whisker"),
            SVG.line(high, middle - 4, high, middle + 4, style: "whisker"),
            SVG.text(high + 8, middle + 4, value, style: "value"),
        ]
    }

    private static func label(_ result: BenchmarkReport.Result, hasModes: Bool) -> String {
        let name = result.model
        let short =
            name.count <= nameLengthMax
            ? name : "\(name.prefix(nameLengthMax / 2 - 1))…\(name.suffix(nameLengthMax / 2))"
        let threads = result.threads == 1 ? "1 thread" : "\(result.threads) threads"
        return "\(short), \(threads)" + (hasModes ? ", \(result.mode.rawValue)" : "")
    }

    /// From 0 on in steps of 1, 2 or 5 times a power of ten: four to nine of them.
    package static func ticks(to highest: Double) -> [Double] {
        guard highest > 0, highest.isFinite else { return [0] }
        let power = pow(10, (log10(highest) - 0.5).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { highest / $0 <= 8 } ?? highest
        return (0...Int(highest / step)).map { Double($0) * step }
    }

    /// Three digits, without an exponent.
    private static func number(_ value: Double) -> String {
        let digits = value >= 100 || value == value.rounded() ? 0 : value >= 10 ? 1 : 2
        return String(format: "%.\(digits)f", value)
    }
}
