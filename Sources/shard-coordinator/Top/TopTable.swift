import Foundation
import Serving
import Sharding
import Terminal

/// A summary as lines for a terminal: figures, stages, workers. No line is wider than the terminal.
struct TopTable {
    let summary: ClusterSummary
    /// Columns of the terminal; narrow ones get fewer figures.
    let width: Int

    /// Below this the columns that say least are left out.
    private static let narrow = 64

    var lines: [String] {
        var lines = [head, ""]
        lines += figures
        lines.append("")
        if !summary.stages.isEmpty { lines += stages.lines + [""] }
        lines += Self.wrapped(summary.bottleneck, width: width) + [""]
        lines += workers.lines
        if let fault = summary.lastFault { lines += [""] + Self.wrapped("last fault: \(fault)", width: width) }
        return lines.map { String(Program.singleLine($0).prefix(max(1, width))) }
    }

    private var head: String {
        let state = summary.isReady ? "ready" : summary.reason ?? "not ready"
        let epoch = summary.epoch.map { ", plan \($0)" } ?? ""
        return "\(summary.model): \(state), up \(Self.time(summary.uptimeSeconds))\(epoch)"
    }

    private var figures: [String] {
        func both(_ times: ClusterSummary.Times?) -> String {
            times.map { "\(Self.time($0.p50)), 95 % \(Self.time($0.p95))" } ?? "-"
        }
        return [
            "tokens/s       \(Self.digits(summary.tokensPerSecond))",
            "first token    \(both(summary.firstToken))",
            "between tokens \(both(summary.betweenTokens))",
            "in the queue   \(both(summary.queue))",
            "requests       \(summary.running) running, \(summary.queued) waiting",
            "went wrong     \(summary.failed) failed, \(summary.rejected) refused, \(summary.faults) faults",
            "cache in use   \(summary.cacheUsed.map(Self.percent) ?? "-")",
            "steps compute  \(summary.computed.map { "\(Self.percent($0)) of their way" } ?? "-")",
        ]
    }

    private var stages: TextTable {
        let isWide = width >= Self.narrow
        var columns: [(title: String, alignment: TextTable.Alignment)] = [("STAGE", .left), ("WORKER", .left)]
        if isWide { columns.append(("LAYERS", .left)) }
        columns += [("BUSY", .right), ("STEP", .right)]
        if isWide { columns += [("ROWS", .right), ("", .left)] }
        var table = TextTable(columns)
        for stage in summary.stages {
            var row = ["\(stage.index)", stage.worker]
            if isWide { row.append(stage.units) }
            row += [Self.percent(stage.busy), stage.stepSeconds.map(Self.time) ?? "-"]
            if isWide {
                row += [stage.rowsPerStep.map(Self.digits) ?? "-", ProgressBar.bar(percent: Int(100 * stage.busy))]
            }
            table.add(row)
        }
        return table
    }

    private var workers: TextTable {
        let isWide = width >= Self.narrow
        var columns: [(title: String, alignment: TextTable.Alignment)] = [("WORKER", .left), ("STATE", .left)]
        if isWide { columns += [("DEVICE", .left), ("THREADS", .right), ("TAKES", .right), ("FREE", .right)] }
        columns.append(("RESTARTS", .right))
        var table = TextTable(columns)
        for worker in summary.workers {
            var row = [worker.name, Self.state(worker)]
            if isWide {
                row += [
                    worker.device ?? "-", worker.threads.map { "\($0)" } ?? "-", Self.bytes(worker.neededBytes),
                    Self.bytes(worker.memoryAvailableBytes),
                ]
            }
            table.add(row + ["\(worker.restarts)"])
        }
        return table
    }

    /// Words over as many lines as they need.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= width {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines.map { String($0.prefix(max(1, width))) }
    }

    // MARK: Numbers in words

    private static func state(_ worker: EngineSnapshot.Worker) -> String {
        if let done = worker.loadedBytes, let total = worker.totalBytes, total > 0, worker.state == .loading {
            return "loading \(percent(min(1, Double(done) / Double(total))))"
        }
        return worker.state.rawValue
    }

    private static func bytes(_ count: UInt64?) -> String { count.map { ByteText.text(Int(clamping: $0)) } ?? "-" }

    private static func percent(_ part: Double) -> String { "\(Int((100 * part).rounded())) %" }

    private static func digits(_ value: Double) -> String {
        String(format: value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value)
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.001: digits(seconds * 1e6) + " µs"
        case ..<1: digits(seconds * 1e3) + " ms"
        case ..<100: digits(seconds) + " s"
        case ..<7200: "\(Int(min(seconds, 1e9) / 60)) min"
        default: "\(Int(min(seconds, 1e12) / 3600)) h"
        }
    }
}
