import ArgumentParser
import Logging

/// Options that every program and subcommand has.
package struct ProgramOptions: ParsableArguments {
    @Option(help: "What to log on stderr: trace, debug, info, notice, warning, error or critical.")
    package var logLevel: LogLevel = .notice

    @Flag(name: .shortAndLong, help: "Print results and errors only: no progress, no log below error.")
    package var quiet = false

    package init() {}

    /// Whether progress is drawn: stderr is a terminal and nobody asked for quiet.
    package var showsProgress: Bool { !quiet && StandardError.isTerminal }

    /// What processes that this one starts log: nothing of their everyday life, unless that was asked for.
    package var workerLogLevel: LogLevel {
        if quiet { return .error }
        return logLevel == .notice ? .warning : logLevel
    }

    /// Sends all logs of this process to stderr, one line each; call it once, before the first log line.
    package func startLogging() {
        let asked = logLevel.level
        let level = quiet ? max(asked, .error) : asked
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, logLevel: level) }
    }
}

/// swift-log's levels as an argument.
package enum LogLevel: String, CaseIterable, ExpressibleByArgument, Sendable {
    case trace, debug, info, notice, warning, error, critical

    package var level: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }
}
