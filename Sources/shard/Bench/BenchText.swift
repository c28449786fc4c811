import Foundation
import Measuring
import ModelFiles
import Terminal

/// Reports for people.
enum BenchText {
    static func machine(_ report: BenchmarkReport) -> [String] {
        let machine = report.machine
        let cores = machine.cores == 1 ? "1 core" : "\(machine.cores) cores"
        let title = "\(machine.cpu), \(cores), \(machine.kernels), \(machine.os)".onOneLine
        guard !report.limits.isEmpty else { return [title] }
        var table = TextTable([
            ("LIMIT", .left), ("THREADS", .right), ("MEDIAN", .right), ("LOW-HIGH", .right), ("WITH", .left),
        ])
        for limits in report.limits {
            for (name, limit, unit) in [
                ("read", limits.read, "GB/s"), ("integer", limits.integer, "Gop/s"), ("float", limits.float, "Gop/s"),
            ] {
                let speed = limit.perSecond
                table.add([
                    name, "\(limits.threads)", "\(number(speed.median / 1e9)) \(unit)",
                    range(speed.low / 1e9, speed.high / 1e9), limit.loop.onOneLine,
                ])
            }
        }
        return [title] + table.lines
    }

    static func results(_ report: BenchmarkReport) -> [String] {
        guard !report.results.isEmpty else { return [] }
        var table = TextTable([
            ("MODEL", .left), ("SIZE", .right), ("MODE", .left), ("THREADS", .right), ("TEST", .left),
            ("TOKENS/S", .right), ("LOW-HIGH", .right), ("SHARE", .left), ("BYTES/TOKEN", .right), ("PEAK", .right),
        ])
        for result in report.results {
            let speed = result.tokensPerSecond
            table.add([
                result.model.onOneLine, ByteText.text(result.bytes), result.mode.rawValue, "\(result.threads)",
                result.test.onOneLine, number(speed.median), range(speed.low, speed.high), share(result),
                ByteText.text(Int(result.bytesPerToken)), result.peakBytes.map(ByteText.text) ?? "",
            ])
        }
        return [""] + table.lines + disks(report)
    }

    private static func disks(_ report: BenchmarkReport) -> [String] {
        guard report.results.contains(where: { $0.disk != nil }) else { return [] }
        var table = TextTable([
            ("MODEL", .left), ("TEST", .left), ("READ/TOKEN", .right), ("READ", .right), ("DISK", .right),
            ("LOW-HIGH", .right), ("SHARE", .right), ("WAITED", .right),
        ])
        for result in report.results {
            guard let disk = result.disk else { continue }
            table.add([
                result.model.onOneLine, result.test.onOneLine, ByteText.text(Int(disk.readBytesPerToken)),
                "\(number(disk.read.median / 1e9)) GB/s", "\(number(disk.limit.median / 1e9)) GB/s",
                range(disk.limit.low / 1e9, disk.limit.high / 1e9), percent(disk.share), percent(disk.waitedShare),
            ])
        }
        return ["", "from disk, whose own speed was measured between the runs"] + table.lines
    }

    private static func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }

    static func comparison(_ comparison: BenchmarkComparison) -> [String] {
        var table = TextTable([
            ("MODEL", .left), ("MODE", .left), ("THREADS", .right), ("TEST", .left), ("OLD", .right), ("NEW", .right),
            ("RATIO", .right), ("", .left),
        ])
        for row in comparison.rows {
            table.add([
                row.key.model.onOneLine, row.key.mode.rawValue, "\(row.key.threads)", row.key.test.onOneLine,
                number(row.old.median), number(row.new.median), String(format: "%.2f", row.ratio),
                row.isApart ? (row.ratio > 1 ? "faster" : "slower") : "",
            ])
        }
        return (comparison.rows.isEmpty ? ["nothing to compare"] : table.lines)
            + comparison.onlyOld.map { "only before: \(line($0))" }
            + comparison.onlyNew.map { "only now: \(line($0))" } + comparison.notes.map { "note: \($0.onOneLine)" }
    }

    /// Three digits, without an exponent.
    static func number(_ value: Double) -> String {
        String(format: value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value)
    }

    static func threads(_ count: Int) -> String { count == 1 ? "1 thread" : "\(count) threads" }

    private static func range(_ low: Double, _ high: Double) -> String { "\(number(low))-\(number(high))" }

    private static func share(_ result: BenchmarkReport.Result) -> String {
        guard let share = result.share, let limit = result.limit else { return "" }
        return String(format: "%.0f %% of %@", share * 100, limit.rawValue)
    }

    private static func line(_ key: BenchmarkComparison.Key) -> String {
        "\(key.model), \(key.mode.rawValue), \(threads(key.threads)), \(key.test)".onOneLine
    }
}
