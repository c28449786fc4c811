import Foundation
import Measuring

/// A report as a drawing: times by percentile on logarithmic axes, so that the tail shows, and tokens in each second.
///
/// Plain SVG 1.1 without scripts or fonts of its own, with its background; viewers that know dark mode get dark colours.
package struct LoadPlot {
    private let report: LoadReport

    private static let left = 90.0
    private static let width = 640.0
    private static let timesTop = 110.0
    private static let timesHeight = 300.0
    private static let secondsTop = 490.0
    private static let secondsHeight = 140.0
    /// Colours that differ for most eyes, and show on white and on black (Tol 2021, "bright").
    private static let colours = ["#4477aa", "#ee6677", "#228833", "#ccbb44"]
    /// Seconds that one point of the second drawing stands for grow with the run, so that there are this many at most.
    private static let pointsMax = 320

    package init(_ report: LoadReport) { self.report = report }

    package func svg() -> String {
        let head = [
            SVG.text(20, 34, "\(report.server.model), \(report.loadName)", style: "title"),
            SVG.text(
                20, 54,
                "\(report.server.url); prompts of \(report.load.promptTokens) tokens, answers of \(report.load.outputTokens); "
                    + "\(report.requests.done) done, \(report.requests.failed) failed; "
                    + "\(Self.number(report.tokensPerSecond.total)) tokens/s", style: "note"),
        ]
        return ([Self.head()] + head + times() + seconds() + ["</svg>", ""]).joined(separator: "\n")
    }

    // MARK: Times by percentile

    private var curves: [(name: String, points: [LoadSummary.Point])] {
        [
            ("to the first token", report.times.firstToken), ("between tokens", report.times.betweenTokens),
            ("longest gap", report.times.longestGap), ("end to end", report.times.endToEnd),
        ].compactMap { name, summary in summary.map { (name, $0.curve) } }
    }

    /// 0 to 5: how many nines a percentile has.
    private static func nines(_ percentile: Double) -> Double { -log10(max(1e-5, 1 - percentile / 100)) }

    private func times() -> [String] {
        let curves = curves
        let values = curves.flatMap(\.points).map(\.value).filter { $0 > 0 }
        guard let low = values.min(), let high = values.max() else { return [] }
        let (bottomPower, topPower) = (
            log10(low).rounded(.down), max(log10(high).rounded(.up), log10(low).rounded(.down) + 1)
        )
        let mostNines = max(2, curves.flatMap(\.points).map { Self.nines($0.percentile) }.max() ?? 2)
        let bottom = Self.timesTop + Self.timesHeight
        func x(_ percentile: Double) -> Double { Self.left + Self.nines(percentile) / mostNines * Self.width }
        func y(_ value: Double) -> Double {
            let power = max(log10(max(value, 1e-9)), bottomPower)
            return bottom - (power - bottomPower) / (topPower - bottomPower) * Self.timesHeight
        }
        var lines = [SVG.text(20, Self.timesTop - 22, "Times by percentile", style: "test")]
        for power in stride(from: bottomPower, through: topPower, by: 1) {
            let place = y(pow(10, power))
            lines.append(SVG.line(Self.left, place, Self.left + Self.width, place, style: "grid"))
            lines.append(SVG.text(Self.left - 8, place + 4, Self.time(pow(10, power)), style: "name"))
        }
        for percentile in [0, 50, 90, 99, 99.9, 99.99, 99.999] where Self.nines(percentile) <= mostNines + 1e-9 {
            lines.append(SVG.line(x(percentile), Self.timesTop, x(percentile), bottom, style: "grid"))
            lines.append(SVG.text(x(percentile), bottom + 18, "\(percentile.formatted()) %", style: "tick"))
        }
        for (index, curve) in curves.enumerated() {
            lines.append(Self.path(curve.points.map { (x($0.percentile), y($0.value)) }, Self.colours[index]))
            let top = Self.timesTop + Double(index) * 20
            lines.append(
                "<rect x=\"\(SVG.place(Self.left + Self.width + 24))\" y=\"\(SVG.place(top))\" width=\"14\" height=\"4\" "
                    + "fill=\"\(Self.colours[index])\"/>")
            lines.append(SVG.text(Self.left + Self.width + 46, top + 7, curve.name, style: "value"))
        }
        return lines
    }

    // MARK: Tokens in each second

    private func seconds() -> [String] {
        let all = report.tokensPerSecond.bySecond
        guard !all.isEmpty else { return [] }
        let size = (all.count + Self.pointsMax - 1) / Self.pointsMax
        // The last second is seldom a whole one.
        let whole = all.count > 1 ? all.dropLast() : all[...]
        let means = stride(from: 0, to: whole.count, by: size).map { first in
            let part = whole[first..<min(first + size, whole.count)]
            return part.reduce(0, +) / Double(part.count)
        }
        let highest = max(means.max() ?? 1, 1)
        let bottom = Self.secondsTop + Self.secondsHeight
        var lines = [SVG.text(20, Self.secondsTop - 18, "Tokens in each second", style: "test")]
        for tick in BenchmarkPlot.ticks(to: highest) {
            let place = bottom - tick / highest * Self.secondsHeight
            lines.append(SVG.line(Self.left, place, Self.left + Self.width, place, style: "grid"))
            lines.append(SVG.text(Self.left - 8, place + 4, Self.number(tick), style: "name"))
        }
        let step = Self.width / Double(max(1, whole.count))
        for tick in BenchmarkPlot.ticks(to: Double(whole.count)) where tick == tick.rounded() {
            lines.append(SVG.text(Self.left + tick * step, bottom + 18, "\(Int(tick)) s", style: "tick"))
        }
        var points: [(Double, Double)] = []
        for (index, mean) in means.enumerated() {
            let place = bottom - mean / highest * Self.secondsHeight
            points.append((Self.left + Double(index * size) * step, place))
            points.append((Self.left + Double(min((index + 1) * size, whole.count)) * step, place))
        }
        return lines + [Self.path(points, Self.colours[0])]
    }

    // MARK: Pieces

    private static func path(_ points: [(x: Double, y: Double)], _ colour: String) -> String {
        let places = points.map { "\(SVG.place($0.x)),\(SVG.place($0.y))" }.joined(separator: " ")
        return "<polyline points=\"\(places)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
    }

    private static func time(_ seconds: Double) -> String {
        if seconds < 0.99e-3 { return "\(Int((seconds * 1e6).rounded())) µs" }
        return seconds < 0.99 ? "\(Int((seconds * 1e3).rounded())) ms" : "\(Int(seconds.rounded())) s"
    }

    private static func number(_ value: Double) -> String {
        String(format: value >= 100 || value == value.rounded() ? "%.0f" : "%.1f", value)
    }

    private static func head() -> String {
        let width = SVG.place(left + self.width + 190)
        let height = SVG.place(secondsTop + secondsHeight + 50)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)">
            \(SVG.style)
            <rect class="paper" width="100%" height="100%"/>
            """
    }
}
