/// What some units make of a worker: whether it has room for them, and how long one token takes there.
struct WorkerLoad {
    let worker: PlacementWorker
    let need: MemoryNeed

    /// A worker that reads weights from disk needs so much beside cache, scratch and weights: its program, the memory
    /// through which it reads, and a part that grows with its budget, as ``MemoryBudget`` spends it.
    private static let streamingBytesMin = 48 << 20
    private static let streamingShare = 8

    private var streamingOverheadBytes: Int {
        saturatingSum(Self.streamingBytesMin, worker.memoryBytes / Self.streamingShare)
    }

    /// Weights that stay in memory.
    private var roomBytes: Int {
        max(
            0,
            worker.memoryBytes
                - saturatingSum(saturatingSum(need.cacheBytes, need.scratchBytes), streamingOverheadBytes))
    }

    /// Weights that are read from disk for each token; nil for a worker that holds all of them.
    var streamedBytes: Int? {
        worker.disk == nil ? nil : max(0, need.weightBytes - roomBytes)
    }

    var fits: Bool {
        guard worker.disk != nil else { return need.totalBytes <= worker.memoryBytes }
        return saturatingSum(saturatingSum(need.cacheBytes, need.scratchBytes), streamingOverheadBytes)
            <= worker.memoryBytes
    }

    var arithmetic: String {
        guard worker.disk != nil else { return need.arithmetic }
        let parts = saturatingSum(saturatingSum(need.cacheBytes, need.scratchBytes), streamingOverheadBytes)
        return "\(describeBytes(parts)) beside weights (cache \(describeBytes(need.cacheBytes)) + scratch "
            + "\(describeBytes(need.scratchBytes)) + reading from disk \(describeBytes(streamingOverheadBytes)))"
    }

    /// Time to read the weights of the units once, which one generated token takes at least: from memory and from disk
    /// go on side by side.
    ///
    /// - Parameter rate: at which the worker reads memory.
    func seconds(rate: Double) -> Double {
        let memory = Double(need.weightBytes) / rate
        guard let disk = worker.disk, let streamedBytes else { return memory }
        return max(memory, Double(streamedBytes) / disk.rate)
    }
}
