import ArgumentParser
import Foundation

/// Runs a root command: errors go to stderr as bare lines, results to stdout, and exit codes are the documented ones.
package enum Program {
    /// Parses the process's arguments, runs what they ask for, and exits.
    ///
    /// - Parameter exit: tells the exit code of errors that are no ``ProgramError``.
    package static func main<Root: ParsableCommand>(
        _ root: Root.Type, exit: @Sendable (any Error) -> ProgramExit = { _ in .failedWhileRunning }
    ) async -> Never {
        ignoreBrokenPipes()
        do {
            var command = try root.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Foundation.exit(0)
        } catch let error as ProgramError {
            StandardError.write(error.lines.map(Self.singleLine))
            Foundation.exit(error.exit.rawValue)
        } catch let error where isUsage(error) {
            root.exit(withError: error)
        } catch {
            StandardError.write([singleLine(String(describing: error))])
            Foundation.exit(exit(error).rawValue)
        }
    }

    /// Help, version, exit codes and wrong usage are the argument parser's own business.
    private static func isUsage(_ error: any Error) -> Bool {
        if error is ExitCode || error is CleanExit || error is ValidationError { return true }
        return String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    /// A reader that left (`| head`) ends a write with EPIPE instead of the process with a signal.
    private static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Keeps one error on one line, with control characters made visible.
    package static func singleLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || scalar.value == 0x7F {
                line += String(format: "\\x%02x", scalar.value)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
