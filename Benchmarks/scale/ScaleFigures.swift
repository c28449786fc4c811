import Foundation
import Measuring
import Sharding

/// Results as drawings: a panel a link, a line a model and load.
struct ScaleFigures {
    let results: [ScaleResult]
    let note: String

    func write(to folder: String) throws {
        let figures: [(name: String, title: String, axis: String, value: (ScaleResult) -> Double)] = [
            ("scale-throughput", "Tokens a second, all streams together", "tokens/s", { $0.report.tokensPerSecond }),
            (
                "scale-busy", "Part of the time in which a stage computes, on average", "%",
                { $0.report.meanShare * 100 }
            ),
            (
                "scale-latency", "From one token of a stream to its next", "ms (median)",
                { $0.report.tokenGap.median * 1e3 }
            ),
            (
                "scale-coordinator", "Processor time of the coordinator's decisions", "µs a step",
                { $0.report.coordinatorSecondsPerStep * 1e6 }
            ),
        ]
        for figure in figures {
            let plot = LinePlot(
                title: figure.title, note: note, axes: ("workers", figure.axis), panels: panels(figure.value))
            try Data(plot.svg().utf8).write(to: URL(filePath: folder).appending(path: "\(figure.name).svg"))
        }
    }

    private func panels(_ value: (ScaleResult) -> Double) -> [LinePlot.Panel] {
        Dictionary(grouping: results, by: \.test.gigabits).sorted { $0.key < $1.key }.map { gigabits, results in
            var lines: [LinePlot.Line] = []
            for result in results {
                let name = Self.name(result)
                let point = (x: Double(result.test.workerCount), y: value(result))
                if let index = lines.firstIndex(where: { $0.name == name }) {
                    lines[index].points.append(point)
                } else {
                    lines.append(LinePlot.Line(name, [point], isDashed: result.test.streamsPerStage == nil))
                }
            }
            return LinePlot.Panel("\(ScaleTable.number(gigabits)) Gbit/s", lines)
        }
    }

    private static func name(_ result: ScaleResult) -> String {
        let load = result.test.streamsPerStage.map { "\($0) streams a stage" } ?? "1 stream"
        return "\(result.test.model.name), \(load)"
    }
}
