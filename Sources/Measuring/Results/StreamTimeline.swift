import Foundation
import Streaming

/// A drawing of what the disk and the processor did side by side while a model was read from disk.
///
/// Plain SVG 1.1 like ``BenchmarkPlot``: reads above, below them the time in which was computed with pieces that were
/// read, with weights that stay, and the time in which nothing could be.
package struct StreamTimeline {
    private let events: [StreamEvent]
    private let start: ContinuousClock.Instant
    private let end: ContinuousClock.Instant
    private let title: String

    private static let left = 150.0
    private static let width = 1000.0
    private static let laneHeight = 14.0
    private static let laneStep = 18.0
    private static let top = 66.0
    private static let colours = ["read": "#4477aa", "use": "#228833", "stay": "#ccbb44", "wait": "#ee6677"]

    /// - Parameters:
    ///   - events: of one stream; the window ends with the last of them.
    ///   - window: nil is from the first to the last.
    package init?(_ events: [StreamEvent], window: Duration? = nil, title: String) {
        guard let first = events.map(\.start).min(), let last = events.map(\.end).max(), first < last else {
            return nil
        }
        let start = window.map { max(first, last - $0) } ?? first
        self.events = events.filter { $0.end > start }
        self.start = start
        end = last
        self.title = title
    }

    package func svg() -> String {
        let reads = lanes()
        var body: [String] = []
        for (lane, events) in reads.enumerated() {
            let y = Self.top + Double(lane) * Self.laneStep
            if lane == 0 { body.append(Self.label("reads under way", y)) }
            body += events.map { bar($0.start, $0.end, y, "read") }
        }
        var y = Self.top + Double(max(1, reads.count)) * Self.laneStep + 12
        for (name, key, spans) in [
            ("computes, read", "use", spans(.use)), ("computes, stays", "stay", restingSpans()),
            ("waits for the disk", "wait", spans(.wait)),
        ] {
            body.append(Self.label("\(name) \(percent(spans))", y))
            body += spans.map { bar($0.lowerBound, $0.upperBound, y, key) }
            y += Self.laneStep
        }
        body += axis(bottom: y)
        let read = events.filter { $0.kind == .read }.reduce(0) { $0 + $1.byteCount }
        let rate = Double(read) / max(1e-9, (end - start) / .seconds(1)) / 1e6
        let note = "\(Int(rate)) MB/s in \(Int(((end - start) / .milliseconds(1)).rounded())) ms"
        return
            ([head(height: y + 40), SVG.text(20, 28, title, style: "title"), SVG.text(20, 48, note, style: "note")]
            + body
            + ["</svg>", ""]).joined(separator: "\n")
    }

    /// Reads that overlap, each in the first row that is free.
    private func lanes() -> [[StreamEvent]] {
        var lanes: [[StreamEvent]] = []
        for event in events.filter({ $0.kind == .read }).sorted(by: { $0.start < $1.start }) {
            if let lane = lanes.firstIndex(where: { $0.last.map { $0.end <= event.start } ?? true }) {
                lanes[lane].append(event)
            } else {
                lanes.append([event])
            }
        }
        return lanes
    }

    private func spans(_ kind: StreamEvent.Kind) -> [Range<ContinuousClock.Instant>] {
        events.filter { $0.kind == kind }.sorted { $0.start < $1.start }.map { max($0.start, start)..<$0.end }
    }

    /// What lies between uses and waits: products with weights that stay, attention, and the rest.
    private func restingSpans() -> [Range<ContinuousClock.Instant>] {
        var rest: [Range<ContinuousClock.Instant>] = []
        var position = start
        for span in (spans(.use) + spans(.wait)).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if span.lowerBound > position { rest.append(position..<span.lowerBound) }
            position = max(position, span.upperBound)
        }
        return rest
    }

    private func percent(_ spans: [Range<ContinuousClock.Instant>]) -> String {
        let time = spans.reduce(Duration.zero) { $0 + ($1.upperBound - $1.lowerBound) }
        return "\(Int((time / (end - start) * 100).rounded())) %"
    }

    private func x(_ instant: ContinuousClock.Instant) -> Double {
        Self.left + max(0, (instant - start) / (end - start)) * Self.width
    }

    private func bar(
        _ from: ContinuousClock.Instant, _ to: ContinuousClock.Instant, _ y: Double, _ key: String
    ) -> String {
        let (left, right) = (x(from), x(to))
        return
            "<rect x=\"\(SVG.place(left))\" y=\"\(SVG.place(y))\" width=\"\(SVG.place(max(0.3, right - left - 0.3)))\" "
            + "height=\"\(SVG.place(Self.laneHeight))\" fill=\"\(Self.colours[key] ?? "#999999")\"/>"
    }

    private func axis(bottom: Double) -> [String] {
        let total = (end - start) / .milliseconds(1)
        let step =
            [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000].first { total / $0 <= 12 } ?? 60_000.0
        return stride(from: 0, through: total, by: step).flatMap { time in
            let x = Self.left + time / total * Self.width
            return [
                SVG.line(x, Self.top - 4, x, bottom, style: "grid"),
                SVG.text(x, bottom + 16, "\(Int(time)) ms", style: "tick"),
            ]
        }
    }

    private static func label(_ text: String, _ y: Double) -> String {
        SVG.text(left - 8, y + laneHeight - 3, text, style: "name")
    }

    private func head(height: Double) -> String {
        let width = Self.left + Self.width + 30
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(SVG.place(width)) \(SVG.place(height))" \
            width="\(SVG.place(width))" height="\(SVG.place(height))">
            <style>
            svg { background: #ffffff } text { font: 12px sans-serif; fill: #222222 } .title { font-size: 16px }
            .note { fill: #666666 } .name { text-anchor: end } .tick { text-anchor: middle; fill: #666666 }
            .grid { stroke: #dddddd }
            @media (prefers-color-scheme: dark) {
            svg { background: #1a1a1a } text { fill: #eeeeee } .note, .tick { fill: #aaaaaa } .grid { stroke: #444444 } }
            </style>
            """
    }
}
