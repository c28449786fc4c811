/// A place in a configuration file.
package struct ConfigurationPlace: Sendable, Hashable, Comparable {
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars.
    package var column: Int
    /// `workers[1].device`; empty for the whole file.
    package var key: String

    package init(line: Int, column: Int, key: String) {
        self.line = line
        self.column = column
        self.key = key
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column, left.key) < (right.line, right.column, right.key)
    }
}

/// One thing that is wrong in a configuration file.
package struct ConfigurationProblem: Sendable, Hashable {
    package var place: ConfigurationPlace
    /// What was expected and found, on one line.
    package var message: String

    package init(_ place: ConfigurationPlace, _ message: String) {
        self.place = place
        self.message = message
    }

    /// `cluster.yaml:12:5: workers[1].device: …`.
    package func line(in file: String) -> String {
        let key = place.key.isEmpty ? "" : "\(place.key): "
        return "\(file):\(place.line):\(place.column): \(key)\(message)"
    }
}

/// Everything that is wrong in a configuration file, in the file's order; programs exit with 2.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// More problems than this are counted, not listed.
    package static let listedCountMax = 100

    /// As it was named.
    package let file: String
    /// At least one.
    package let problems: [ConfigurationProblem]

    package init(file: String, problems: [ConfigurationProblem]) {
        self.file = file
        self.problems = problems.sorted { $0.place < $1.place }
    }

    /// One line a problem: `cluster.yaml:12:5: workers[1].device: …`.
    package var lines: [String] {
        var lines = problems.prefix(Self.listedCountMax).map { $0.line(in: file) }
        if problems.count > Self.listedCountMax {
            lines.append("\(file): \(problems.count - Self.listedCountMax) more problems")
        }
        return lines
    }

    package var description: String { lines.joined(separator: "\n") }
}
