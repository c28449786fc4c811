import Foundation
import Testing

@testable import LoadTesting

@Suite("Reports of a load")
struct LoadReportTests {
    private func report(_ loop: LoadPlan.Loop, name: String = "demo", fill: (inout LoadTally) -> Void) throws
        -> LoadReport
    {
        let plan = LoadPlan(
            loop: loop,
            prompts: LoadPrompts(promptTokens: TokenCounts(8), outputTokens: TokenCounts(4), seed: 5), requests: 2,
            comparesTexts: true)
        var tally = LoadTally(streams: plan.streams)
        fill(&tally)
        return LoadReport(
            plan, try LoadTarget(url: "http://127.0.0.1:1", key: nil, timeout: .seconds(9)),
            RequestShape(
                model: name, prompts: .text, ignoresEnd: true, asksUsage: true, temperature: 0, tokenIDs: 0...9),
            notes: [], LoadDriver.Outcome(tally: tally, elapsed: .seconds(2), cpuSeconds: 0.5),
            client: LoadReport.Client(cpu: "c", cores: 2, os: "o", cpuSeconds: 0.5))
    }

    private func add(_ tally: inout LoadTally, _ text: String = "a") {
        let answer = LoadAnswer(
            pieces: [.milliseconds(300), .milliseconds(900), .milliseconds(1500)], text: text, finishReason: nil,
            usage: nil)
        tally.add(
            .init(begun: .zero, sent: .zero, ended: .seconds(2), result: .success(answer)),
            of: LoadRequest(prompt: 0, symbols: [], outputTokens: 3, seed: 0), expected: "a")
    }

    @Test("JSON holds all of it")
    func json() throws {
        let report = try report(.closed(streams: 1)) { tally in
            tally.beginStream(at: .zero)
            add(&tally)
            tally.endStream(at: .seconds(2))
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let text = try report.json()
        #expect(try decoder.decode(LoadReport.self, from: Data(text.utf8)) == report)
        #expect(text.contains("\"first_token\"") && text.contains("\"differing_texts\" : 0"))
        #expect(report.tokensPerSecond.total == 1.5 && report.tokensPerSecond.busy?.tokensPerSecond == 1.5)
        #expect(report.tokensPerSecond.requestsPerSecond == 0.5)
    }

    @Test("a run is sound with answers, without failures but refusals, without differing texts")
    func soundness() throws {
        func failed(_ kind: LoadFailure.Kind) throws -> Bool {
            try report(.closed(streams: 1)) { tally in
                add(&tally)
                tally.add(
                    .init(begun: .zero, sent: nil, ended: .zero, result: .failure(LoadFailure(kind, "x"))),
                    of: LoadRequest(prompt: 0, symbols: [], outputTokens: 3, seed: 0))
            }.isSound
        }
        #expect(try report(.closed(streams: 1)) { add(&$0) }.isSound)
        #expect(try failed(.refused(429)) && failed(.refused(503)))
        #expect(try !failed(.broken) && !failed(.status(500)) && !failed(.connection))
        #expect(try !report(.closed(streams: 1)) { add(&$0, "b") }.isSound)
        #expect(try !report(.closed(streams: 1)) { _ in }.isSound)
    }

    @Test("CSV has a line for each figure, and quotes names")
    func csv() throws {
        let report = try report(.open(rate: 2), name: "a,\"b\"") { add(&$0) }
        let lines = report.csv().split(separator: "\n")
        #expect(
            lines.allSatisfy {
                $0.hasPrefix("server,") || $0.hasPrefix("http://127.0.0.1:1,\"a,\"\"b\"\"\",2.0 requests")
            })
        #expect(lines.contains { $0.contains(",first token,s,1,0.3,0.3,0.3,") })
        #expect(lines.contains { $0.contains(",total,tokens/s,1,1.5,") })
    }

    @Test("plots draw what there is, even nothing")
    func plots() throws {
        let full = LoadPlot(try report(.closed(streams: 1), name: "<&>") { add(&$0) }).svg()
        #expect(full.hasPrefix("<svg") && full.hasSuffix("</svg>\n") && full.contains("&lt;&amp;&gt;"))
        #expect(full.contains("to the first token") && !full.contains("nan") && !full.contains("inf"))
        let empty = LoadPlot(try report(.open(rate: 1)) { _ in }).svg()
        #expect(empty.hasSuffix("</svg>\n") && !empty.contains("polyline"))
    }
}
