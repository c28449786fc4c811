import ArgumentParser

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

    private static let coreMax = 1 << 16

    init?(argument: String) {
        cores = []
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends[0], let last = ends[ends.count - 1], (0...last).contains(first),
                last < Self.coreMax
            else { return nil }
            cores += first...last
        }
    }
}
