import Foundation
import Testing

@testable import Measuring

@Suite("Plot of lines")
struct LinePlotTests {
    private func plot(_ lines: [LinePlot.Line]) -> String {
        LinePlot(
            title: "a < b", note: "", axes: ("workers", "tokens/s"),
            panels: [LinePlot.Panel("one", lines), LinePlot.Panel("two", lines)]
        ).svg()
    }

    private func count(_ piece: String, in text: String) -> Int { text.components(separatedBy: piece).count - 1 }

    @Test("each line is drawn in each panel, and named once")
    func lines() {
        let svg = plot([.init("slow", [(2, 1), (8, 30)]), .init("fast", [(2, 5), (8, 200)], isDashed: true)])
        #expect(count("<circle", in: svg) == 2 * 4)
        #expect(count("<polyline", in: svg) == 2 * 2 + 2)
        #expect(count(">slow<", in: svg) == 1)
        #expect(count("stroke-dasharray", in: svg) == 3)
        #expect(svg.contains("a &lt; b"))
    }

    @Test("what logarithms cannot show is left out")
    func outOfRange() {
        let svg = plot([.init("l", [(1, 0), (2, -1), (3, .nan), (4, .infinity), (5, 1)])])
        #expect(count("<circle", in: svg) == 2)
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }

    @Test("no lines are still a drawing")
    func empty() { #expect(plot([]).hasSuffix("</svg>\n")) }

    @Test(
        "an axis has whole powers of ten around all values",
        arguments: [([0.02, 40], [0.01, 0.1, 1, 10, 100]), ([1], [1, 10]), ([], [1, 10]), ([10, 100], [10, 100])])
    func decades(values: [Double], expected: [Double]) {
        let ticks = LinePlot.decades(around: values)
        #expect(ticks.count == expected.count && zip(ticks, expected).allSatisfy { abs($0 / $1 - 1) < 1e-9 })
    }
}
