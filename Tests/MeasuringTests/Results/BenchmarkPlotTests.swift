import Foundation
import Testing

@testable import Measuring

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("Plot of a report")
struct BenchmarkPlotTests {
    /// Counts elements by name; fails on what is no XML.
    private final class Reader: NSObject, XMLParserDelegate {
        var counts: [String: Int] = [:]
        var text = ""

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) { counts[name, default: 0] += 1 }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    }

    private func read(_ svg: String) -> Reader? {
        let reader = Reader()
        let parser = XMLParser(data: Data(svg.utf8))
        parser.delegate = reader
        return parser.parse() ? reader : nil
    }

    @Test("each result is a bar with a whisker, each test a group, whatever names hold")
    func wellFormed() throws {
        let prompt = BenchmarkTest(.prompt, tokenCount: 512)
        let report = Fixtures.report([
            Fixtures.result("a<b>&\"c\"\u{1}.gguf"), Fixtures.result("b.gguf", threads: 1),
            Fixtures.result("b.gguf", test: prompt, limits: nil),
        ])
        let reader = try #require(read(BenchmarkPlot(report).svg()))
        // The background, and a bar each.
        #expect(reader.counts["rect"] == 1 + 3)
        #expect(reader.counts["script"] == nil)
        for words in ["a<b>&\"c\"?.gguf, 2 threads", "generate 4", "prompt 512", "2 (1–4), 30 % of read"] {
            #expect(reader.text.contains(words), "\(words) in \(reader.text)")
        }
    }

    @Test("a report without results is still a drawing")
    func empty() {
        #expect(read(BenchmarkPlot(Fixtures.report([])).svg()) != nil)
    }

    @Test("an axis has few round ticks", arguments: [0.003, 0.7, 1, 9.99, 10, 47, 99, 1234, 98765])
    func ticks(highest: Double) {
        let ticks = BenchmarkPlot.ticks(to: highest)
        #expect((3...10).contains(ticks.count), "\(ticks)")
        #expect(ticks[0] == 0 && ticks[ticks.count - 1] <= highest * 1.0001)
    }
}
