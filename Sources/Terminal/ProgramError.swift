import ArgumentParser

/// What a program's exit code says, the same for every program. Wrong usage exits with 64, by the argument parser.
package enum ProgramExit: Int32, Sendable {
    case failedWhileRunning = 1
    /// The configuration is wrong, or what was asked for does not fit.
    case configuration = 2

    package var code: ExitCode { ExitCode(rawValue) }
}

/// Ends a program with lines on stderr and an exit code.
package struct ProgramError: Error, CustomStringConvertible {
    package let exit: ProgramExit
    /// Each names the file or peer, the field, what was found, what was expected, what to do.
    package let lines: [String]

    package init(_ exit: ProgramExit, _ lines: [String]) {
        self.exit = exit
        self.lines = lines
    }

    package init(_ exit: ProgramExit, _ line: String) { self.init(exit, [line]) }

    package var description: String { lines.joined(separator: "\n") }
}
