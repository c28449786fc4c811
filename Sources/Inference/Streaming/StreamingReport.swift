import Sharding
import Streaming

/// What a model that is read from disk holds and has read so far.
package struct StreamingReport: Sendable, Hashable {
    package var budgetBytes: Int
    /// Weights that stay, and weights that are read for each step with an output.
    package var pinnedBytes: Int
    package var streamedBytes: Int
    /// nil where nothing is read.
    package var settings: ReadSettings?
    /// The best rate of the trials at the start; nil before they are done, and where there was too little to try.
    package var diskBytesPerSecond: Double?
    /// nil where no experts are read.
    package var experts: ExpertStatistics?
    package var statistics: StreamStatistics

    /// What was done since an earlier report of the same model.
    package func statistics(since earlier: StreamingReport) -> StreamStatistics { statistics - earlier.statistics }
}

extension ShardChain {
    /// nil for a model of which all weights stay in memory.
    package func streamingReport(_ budget: MemoryBudget) -> StreamingReport? {
        guard let streamed else { return nil }
        return StreamingReport(
            budgetBytes: budget.limitBytes, pinnedBytes: streamed.plan.pinnedBytes,
            streamedBytes: streamed.plan.streamedBytes, settings: streamed.settings,
            diskBytesPerSecond: streamed.disk?.bytesPerSecond,
            experts: streamed.expertStatistics, statistics: streamed.statistics)
    }
}

extension ShardChain {
    /// Lets somebody else see what a model that is read from disk does; nothing happens for others.
    package func watch(_ watch: StreamWatch) { streamed?.observe { watch.note($0) } }
}
