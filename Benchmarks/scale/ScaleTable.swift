import Foundation
import Sharding

/// Results as lines of text: for people, and as CSV.
enum ScaleTable {
    private static let columns: [(name: String, width: Int, value: @Sendable (ScaleResult) -> String)] = [
        ("MODEL", 10, { $0.test.model.name }),
        ("WORKERS", 7, { "\($0.test.workerCount)" }),
        ("STAGES", 6, { "\($0.report.plan.stages.count)" }),
        ("GBIT/S", 6, { number($0.test.gigabits) }),
        ("STREAMS", 7, { "\($0.test.streamCount)" }),
        ("TOKENS/S", 9, { number($0.report.tokensPerSecond) }),
        ("GAP_MS", 8, { number($0.report.tokenGap.median * 1e3) }),
        ("GAP_P99_MS", 10, { number($0.report.tokenGap.p99 * 1e3) }),
        ("BUSIEST_%", 9, { number($0.report.busiestShare * 100) }),
        ("MEAN_%", 6, { number($0.report.meanShare * 100) }),
        ("LINK_%", 6, { number(($0.report.hopShares.max() ?? 0) * 100) }),
        ("US/STEP", 8, { number($0.report.coordinatorSecondsPerStep * 1e6) }),
        ("US/TOKEN", 8, { number($0.report.coordinatorSecondsPerToken * 1e6) }),
        ("COORD_%", 7, { number($0.report.coordinatorShare * 100) }),
        ("PLAN_S", 7, { number($0.report.startTime.seconds) }),
    ]

    static var head: String {
        columns.map { $0.name.padding(to: $0.width) }.joined(separator: "  ")
    }

    static func line(_ result: ScaleResult) -> String {
        columns.map { $0.value(result).padding(to: $0.width) }.joined(separator: "  ")
    }

    static func csv(_ results: [ScaleResult]) -> String {
        let head = columns.map { $0.name.lowercased() }.joined(separator: ",")
        let lines = results.map { result in columns.map { $0.value(result) }.joined(separator: ",") }
        return ([head] + lines).joined(separator: "\n") + "\n"
    }

    /// Three digits.
    static func number(_ value: Double) -> String {
        let digits = value >= 100 || value == value.rounded() ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
        return String(format: "%.\(digits)f", value)
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
