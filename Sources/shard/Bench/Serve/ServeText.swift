import Foundation
import LoadTesting
import ModelFiles
import Terminal

/// Reports of a load, for people.
enum ServeText {
    static func lines(_ report: LoadReport) -> [String] {
        [title(report)] + report.server.notes.map { "note: \($0.onOneLine)" } + notes(report) + [""] + table(report)
            + [""] + totals(report) + failures(report)
    }

    private static func title(_ report: LoadReport) -> String {
        let load = report.load
        let kind =
            switch report.server.prompts {
            case .tokens: "token ids"
            case .text: "text"
            case .chat: "chat"
            }
        let prefix = load.sharedPrefix > 0 ? "\(load.sharedPrefix) shared + " : ""
        let distinct = load.distinctPrompts.map { ", \($0) in turn" } ?? ""
        return
            "\(report.server.url.onOneLine), \(report.server.model.onOneLine): \(report.loadName); prompts of "
            + "\(prefix)\(load.promptTokens) tokens (\(kind)\(distinct)), answers of \(load.outputTokens); seed \(load.seed)"
    }

    private static func notes(_ report: LoadReport) -> [String] {
        var notes: [String] = []
        if report.requests.endedEarly > 0 {
            notes.append("note: \(report.requests.endedEarly) answers ended before they had all tokens asked for")
        }
        if report.tokens.uncountedAnswers > 0 {
            notes.append(
                "note: the server counted no tokens for \(report.tokens.uncountedAnswers) answers: pieces count")
        } else if report.tokens.pieces < report.tokens.generated {
            notes.append(
                "note: \(report.tokens.generated) tokens came in \(report.tokens.pieces) pieces; times are those of pieces"
            )
        }
        return notes
    }

    private static func table(_ report: LoadReport) -> [String] {
        var table = TextTable([
            ("", .left), ("COUNT", .right), ("MEAN", .right), ("MIN", .right), ("P50", .right), ("P90", .right),
            ("P99", .right), ("MAX", .right),
        ])
        for (name, unit, summary) in report.summaries {
            let isTime = unit == "s"
            let values = [summary.mean, summary.min, summary.p50, summary.p90, summary.p99, summary.max]
            table.add(
                ["\(name), \(isTime ? "ms" : unit)", "\(summary.count)"]
                    + values.map { BenchText.number(isTime ? $0 * 1000 : $0) })
        }
        return table.lines
    }

    private static func totals(_ report: LoadReport) -> [String] {
        let (requests, tokens, speeds) = (report.requests, report.tokens, report.tokensPerSecond)
        let texts = requests.differingTexts.map { ", \($0) differing texts" } ?? ""
        let cached = tokens.cached > 0 ? " (\(tokens.cached) cached)" : ""
        var lines = [
            "\(requests.done) done, \(requests.failed) failed\(texts) in \(BenchText.number(report.seconds)) s: "
                + "\(tokens.prompt) tokens read\(cached), \(tokens.generated) generated",
            "total  \(BenchText.number(speeds.total)) tokens/s, \(BenchText.number(speeds.requestsPerSecond)) requests/s",
        ]
        if let busy = speeds.busy {
            lines.append(
                "busy   \(BenchText.number(busy.tokensPerSecond)) tokens/s in the \(BenchText.number(busy.seconds)) s in which "
                    + "all streams were at it")
        }
        let share = report.client.cpuSeconds / max(report.seconds, 1e-9) * 100
        lines.append(
            "client \(BenchText.number(report.client.cpuSeconds)) s of processor time, \(BenchText.number(share)) % of a core"
        )
        if let difference = requests.firstDifference { lines.append("first difference: \(difference.onOneLine)") }
        if requests.refusedWithoutRetryAfter > 0 {
            lines.append("\(requests.refusedWithoutRetryAfter) refusals without Retry-After")
        }
        return lines
    }

    private static func failures(_ report: LoadReport) -> [String] {
        guard !report.requests.failures.isEmpty else { return [] }
        var table = TextTable([("FAILED", .left), ("COUNT", .right), ("FIRST", .left)])
        for failure in report.requests.failures {
            table.add([failure.kind, "\(failure.count)", failure.example.onOneLine])
        }
        return [""] + table.lines
    }

    static func verdict(_ report: LoadReport) -> String {
        let requests = report.requests
        guard requests.done > 0 else { return "\(report.server.url.onOneLine): no request was answered" }
        let failed = requests.failed - requests.refused
        let differing = requests.differingTexts.map { ", \($0) texts differ" } ?? ""
        return "\(report.server.url.onOneLine): \(failed) requests failed\(differing)"
    }

    static func progress(_ progress: LoadDriver.Progress) -> String {
        let seconds = progress.elapsed / .seconds(1)
        let speed = seconds > 0 ? Double(progress.tokenCount) / seconds : 0
        return
            "\(Int(seconds)) s: \(progress.doneCount) done, \(progress.failedCount) failed, \(BenchText.number(speed)) tokens/s"
    }
}
