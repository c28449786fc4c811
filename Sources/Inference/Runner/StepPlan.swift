import Sharding

/// The rows of a step as runs of consecutive positions, one run a sequence.
struct StepPlan {
    struct Run {
        let sequence: SequenceID
        var positions: Range<Int>
        /// Index in the step of the run's first row.
        let firstRow: Int
    }

    private(set) var runs: [Run] = []
    private var seen: Set<SequenceID> = []

    /// Checks the rows against the runner's limits; keeps its memory from step to step.
    mutating func read(_ rows: [StepRow], options: ShardRunnerOptions) throws(InferenceError) {
        runs.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
        guard rows.count <= options.rowsMax else {
            throw InferenceError(
                .invalidStep, place: "step", "expected at most \(options.rowsMax) rows, got \(rows.count)")
        }
        for (index, row) in rows.enumerated() {
            guard row.position >= 0, row.position < options.contextLength else {
                throw InferenceError(
                    .invalidStep, place: "sequence \(row.sequence)",
                    "expected a position below the context of \(options.contextLength), got \(row.position)")
            }
            if let last = runs.last, last.sequence == row.sequence {
                guard row.position == last.positions.upperBound else {
                    throw InferenceError(
                        .invalidStep, place: "sequence \(row.sequence)",
                        "expected position \(last.positions.upperBound) next, got \(row.position)")
                }
                runs[runs.count - 1].positions = last.positions.lowerBound..<row.position + 1
            } else {
                guard seen.insert(row.sequence).inserted else {
                    throw InferenceError(
                        .invalidStep, place: "sequence \(row.sequence)", "expected its rows together in a step")
                }
                runs.append(
                    Run(sequence: row.sequence, positions: row.position..<row.position + 1, firstRow: index))
            }
        }
    }
}
