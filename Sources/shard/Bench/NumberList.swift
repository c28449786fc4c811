import ArgumentParser
import Sharding

/// Numbers as an argument: `0,8192`.
struct NumberList: ExpressibleByArgument {
    var numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == parts.count else { return nil }
        self.numbers = numbers
    }

    var defaultValueDescription: String { numbers.map(String.init).joined(separator: ",") }

    /// Checks each of the numbers.
    func check(_ name: String, _ range: ClosedRange<Int>) throws {
        if let wrong = numbers.first(where: { !range.contains($0) }) {
            throw ValidationError("\(name): expected \(range.lowerBound) to \(range.upperBound), got \(wrong)")
        }
    }
}

/// Cores as an argument: `0-3,8`.
struct CoreList: ExpressibleByArgument {
    var cores: [Int]

    init?(argument: String) {
        guard let cores = ConfigurationScalar.cpus(argument) else { return nil }
        self.cores = cores
    }
}
