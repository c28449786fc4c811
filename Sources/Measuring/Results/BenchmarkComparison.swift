/// Two reports side by side: what both have, and what only one has.
package struct BenchmarkComparison: Sendable, Hashable {
    /// What makes two results the same measurement.
    package struct Key: Sendable, Hashable {
        package var model: String
        package var mode: BenchmarkMode
        package var threads: Int
        package var test: String

        init(_ result: BenchmarkReport.Result) {
            model = result.model
            mode = result.mode
            threads = result.threads
            test = result.test
        }
    }

    package struct Row: Sendable, Hashable {
        package var key: Key
        package var old: Spread
        package var new: Spread

        /// New ÷ old, of the medians.
        package var ratio: Double { new.median / old.median }
        /// Whether the spreads have nothing in common; what overlaps may be chance.
        package var isApart: Bool { new.isApart(from: old) }
    }

    package var rows: [Row] = []
    package var onlyOld: [Key] = []
    package var onlyNew: [Key] = []
    /// What else differs, and may be why speeds do.
    package var notes: [String] = []

    /// Of results with the same key, the last counts.
    package init(old: BenchmarkReport, new: BenchmarkReport) {
        let before = Dictionary(old.results.map { (Key($0), $0) }, uniquingKeysWith: { $1 })
        var matched: Set<Key> = []
        for result in new.results {
            let key = Key(result)
            guard let counterpart = before[key] else {
                onlyNew.append(key)
                continue
            }
            matched.insert(key)
            rows.append(Row(key: key, old: counterpart.tokensPerSecond, new: result.tokensPerSecond))
        }
        var seen: Set<Key> = []
        onlyOld = old.results.map(Key.init).filter { !matched.contains($0) && seen.insert($0).inserted }
        for (name, was, now) in [
            ("processor", old.machine.cpu, new.machine.cpu), ("kernels", old.machine.kernels, new.machine.kernels),
            ("system", old.machine.os, new.machine.os),
        ] where was != now {
            notes.append("another \(name): \(was) before, \(now) now")
        }
        let types = Set(old.results.map(\.kvType)).symmetricDifference(new.results.map(\.kvType))
        if !types.isEmpty, !rows.isEmpty {
            notes.append("caches of other types: \(types.sorted().joined(separator: ", "))")
        }
    }
}
