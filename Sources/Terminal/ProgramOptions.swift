import ArgumentParser
import Logging

/// Options that every program and subcommand has.
package struct ProgramOptions: ParsableArguments {
    @Option(help: "What to log on stderr: trace, debug, info, notice, warning, error or critical.")
    package var logLevel: LogLevel = .notice

    @Option(help: "How to log: line, for people, or json, one object a line.")
    package var logFormat: LogFormat = .line

    @Flag(name: .shortAndLong, help: "Print results and errors only: no progress, no log below error.")
    package var quiet = false

    package init() {}

    /// Whether progress is drawn: stderr is a terminal for people, and nobody asked for quiet.
    package var showsProgress: Bool { !quiet && logFormat == .line && StandardError.isTerminal }

    /// What processes that this one starts log: nothing of their everyday life, unless that was asked for.
    package var workerLogLevel: LogLevel {
        if quiet { return .error }
        return logLevel == .notice ? .warning : logLevel
    }

    /// Sends all logs of this process to stderr, one line each; call it once, before the first log line.
    package func startLogging() {
        let asked = logLevel.level
        let level = quiet ? max(asked, .error) : asked
        switch logFormat {
        case .line: LoggingSystem.bootstrap { label in LineLogHandler(label: label, logLevel: level) }
        case .json: LoggingSystem.bootstrap { label in JSONLogHandler(label: label, logLevel: level) }
        }
    }
}

/// How log entries are written.
package enum LogFormat: String, CaseIterable, ExpressibleByArgument, Sendable { case line, json }

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
