import Coordinator
import Foundation
import Logging
import Sharding
import Terminal

/// What a person sees of a launch on stderr: one block that is redrawn while the cluster comes up, and the workers'
/// lines between.
actor LaunchConsole {
    private let block: StatusBlock
    private let showsBars: Bool
    /// Takes the block's lines where logs are JSON; nil for people.
    private let log: Logger?
    private var drawn: [String] = []

    init(options: ProgramOptions) {
        block = StatusBlock(isShown: !options.quiet)
        log = options.logFormat == .json ? Logger(label: "shard-coordinator") : nil
        showsBars = options.showsProgress
    }

    /// A worker's log line, under its name.
    func line(of worker: String, _ line: String) {
        guard log == nil else { return StandardError.write(JSONLogHandler.line(line, from: worker)) }
        if showsBars { block.show([]) }
        StandardError.write(Program.singleLine("\(worker): \(line)"))
        if showsBars { block.show(drawn) }
    }

    func show(_ status: ClusterStatus, model: String, endpoint: String, http: String, plan: [String]) {
        var lines = ["cluster \(model): workers report to \(endpoint)"]
        lines += status.workers.map { "  \($0.name): \(describe($0))" }
        switch status.readiness {
        case .ready:
            lines += plan.map { "  " + $0 }
            lines += status.workers.compactMap { worker in
                worker.units.isEmpty
                    ? nil : "  layers \(worker.units): worker \(worker.name), process \(worker.processID ?? 0)"
            }
            lines.append("ready: \(http)")
        case .notReady(let reason):
            // While a plan loads, the workers' own lines say how far they are.
            if status.plan == nil, !status.hasFailed { lines.append(reason) }
        }
        if let log {
            let known = Set(drawn)
            for line in lines where !known.contains(line) {
                log.notice("\(line.trimmingCharacters(in: .whitespaces))")
            }
        } else {
            block.show(lines)
        }
        drawn = lines
    }

    private func describe(_ worker: ClusterStatus.Worker) -> String {
        let device = worker.device.map { "\($0), \(worker.threadCount ?? 0) threads" } ?? ""
        return switch worker.state {
        case .absent(let reason): reason ?? "not here yet"
        case .joined: "joined: \(device)"
        case .loading(let done, let total): "loading\(bar(done, total))"
        case .loaded: "loaded"
        case .active: "active: \(device)"
        }
    }

    /// Only where it can be drawn over: elsewhere every percent would be a line.
    private func bar(_ done: UInt64, _ total: UInt64) -> String {
        guard showsBars, total > 0 else { return "" }
        let percent = Int((100 * min(1, Double(done) / Double(total))).rounded(.down))
        return "  \(ProgressBar.bar(percent: percent)) \(percent) %"
    }

    /// Later lines stand below what is drawn over; elsewhere only lines that are new are written anyway.
    func end() {
        guard showsBars else { return }
        drawn = []
        block.end()
    }
}
