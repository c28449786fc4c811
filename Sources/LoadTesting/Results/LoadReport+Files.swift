import Foundation
import Measuring

extension LoadReport {
    /// For people too: keys in order, one a line.
    package func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// `8 streams`, `5 requests a second`.
    package var loadName: String {
        if let streams = load.streams { return streams == 1 ? "1 stream" : "\(streams) streams" }
        return "\(load.rate ?? 0) requests a second"
    }

    /// Times and speeds with their names, those that there are.
    package var summaries: [(name: String, unit: String, summary: LoadSummary)] {
        [
            ("first token", "s", times.firstToken), ("between tokens", "s", times.betweenTokens),
            ("longest gap", "s", times.longestGap), ("end to end", "s", times.endToEnd),
            ("refusal", "s", times.refusal), ("sent late", "s", times.lateness),
            ("stream", "tokens/s", tokensPerSecond.stream),
        ].compactMap { name, unit, summary in summary.map { (name, unit, $0) } }
    }

    /// One line for each time and speed, under a line of names; what is one number stands as a mean.
    package func csv() -> String {
        let run = [server.url, server.model, loadName, load.promptTokens, load.outputTokens]
        var lines = [
            ["server", "model", "load", "prompt_tokens", "output_tokens"]
                + ["name", "unit", "count", "mean", "min", "p50", "p90", "p99", "max"]
        ]
        for (name, unit, summary) in summaries {
            let values = [summary.mean, summary.min, summary.p50, summary.p90, summary.p99, summary.max]
            lines.append(run + [name, unit, "\(summary.count)"] + values.map { "\($0)" })
        }
        var numbers: [(String, String, Double)] = [
            ("done", "requests", Double(requests.done)), ("failed", "requests", Double(requests.failed)),
            ("total", "tokens/s", tokensPerSecond.total), ("total", "requests/s", tokensPerSecond.requestsPerSecond),
            ("client", "CPU s", client.cpuSeconds),
        ]
        if let busy = tokensPerSecond.busy { numbers.append(("all streams busy", "tokens/s", busy.tokensPerSecond)) }
        if let differing = requests.differingTexts { numbers.append(("differing texts", "answers", Double(differing))) }
        for (name, unit, value) in numbers {
            lines.append(run + [name, unit, "1", "\(value)"] + Array(repeating: "", count: 5))
        }
        return CSV.text(lines)
    }
}
