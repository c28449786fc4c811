import Sharding

/// What a simulated cluster did within a window of virtual time.
package struct SimulationReport: Sendable {
    package struct Counts: Sendable, Hashable {
        package var tokens = 0
        package var steps = 0
        package var requests = 0
        /// Requests that were turned away.
        package var refused = 0
    }

    /// Of many times the middle and the upper end, in seconds; 0 of none.
    package struct Spread: Sendable, Hashable {
        package var median = 0.0
        package var p99 = 0.0

        init(_ nanoseconds: [Int]) {
            guard !nanoseconds.isEmpty else { return }
            let sorted = nanoseconds.sorted()
            median = Double(sorted[sorted.count / 2]) / 1e9
            p99 = Double(sorted[sorted.count * 99 / 100]) / 1e9
        }
    }

    package var plan: Plan
    /// That the window has.
    package var seconds: Double
    package var counts: Counts
    /// Of each stage and each way, the part of the window in which it was busy.
    package var stageShares: [Double]
    package var hopShares: [Double]
    /// From a sequence's token to its next one.
    package var tokenGap: Spread
    /// From a request to its first token.
    package var firstToken: Spread
    package var coordinator: CoordinatorTime
    /// Processor time of the decisions until the cluster was up, most of it the planner's.
    package var startTime: Duration
    /// Of a step of one row through the empty pipeline, and in its slowest stage.
    package var passSeconds: Double
    package var slowestSeconds: Double

    package var tokensPerSecond: Double { Double(counts.tokens) / seconds }
    /// Of the stage that is busiest.
    package var busiestShare: Double { stageShares.max() ?? 0 }
    package var meanShare: Double { stageShares.reduce(0, +) / Double(max(1, stageShares.count)) }

    /// Part of the window for which the coordinator decided.
    package var coordinatorShare: Double { coordinator.total.seconds / seconds }
    package var coordinatorSecondsPerToken: Double { coordinator.steps.seconds / Double(max(1, counts.tokens)) }
    package var coordinatorSecondsPerStep: Double { coordinator.steps.seconds / Double(max(1, counts.steps)) }
}

/// Why a simulation has no result.
package struct SimulationError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
