/// What some units make of a worker: whether it has room for them, and what it reads from disk for each step.
struct WorkerLoad {
    private let worker: PlacementWorker
    private let need: MemoryNeed
    /// Of a worker that reads weights from its disk; nil of others.
    private let demand: MemoryBudget.Demand?
    /// nil, too, where the demand does not fit it.
    private let budget: MemoryBudget?

    /// - Parameter hasMixtures: whether some weights are those of experts.
    init(worker: PlacementWorker, need: MemoryNeed, hasMixtures: Bool) {
        self.worker = worker
        self.need = need
        demand = worker.disk.map { MemoryBudget.Demand(need, on: $0, hasMixtures: hasMixtures) }
        budget = demand.flatMap { try? MemoryBudget(limitBytes: worker.memoryBytes, demand: $0) }
    }

    /// Weights that are read from disk for each token; nil for a worker that holds all of them.
    var streamedBytes: Int? {
        demand == nil ? nil : max(0, need.weightBytes - (budget?.pinnedBytesMax ?? 0))
    }

    var fits: Bool { demand == nil ? need.totalBytes <= worker.memoryBytes : budget != nil }

    /// Of memory with which a worker computes them that reads weights from its disk; nil for others.
    var smallestBytes: Int? { demand.map(MemoryBudget.smallestBytes) }

    var arithmetic: String {
        guard let demand, let smallest = smallestBytes else { return need.arithmetic }
        let working = smallest - demand.programBytes - demand.cacheBytes
        return "\(describeBytes(smallest)) with all weights read from disk (program "
            + "\(describeBytes(demand.programBytes)) + cache \(describeBytes(demand.cacheBytes)) + working memory "
            + "\(describeBytes(working)))"
    }

    /// Time to read from disk what each step needs and memory has no room for.
    var diskSeconds: Double {
        guard let disk = worker.disk, let streamedBytes else { return 0 }
        return Double(streamedBytes) / disk.rate
    }
}

extension MemoryBudget.Demand {
    /// What a program is taken for that did not say what it holds; what it grows by until it loads; and what threads work
    /// with.
    private static let assumedProgramBytes = 48 << 20
    private static let programGrowthBytes = 4 << 20
    private static let threadBytes = 2 << 20
    /// Of the smallest piece: whole tiles, and pages around them.
    private static let pieceBytesMin = 128 << 10

    /// No less than what the worker itself will ask for, which knows its matrices and its threads.
    fileprivate init(_ need: MemoryNeed, on disk: PlacementDisk, hasMixtures: Bool) {
        let runBytes = need.weightBytes / max(1, need.runCount)
        let pieceBytes = max(Self.pieceBytesMin, MemoryBudget.pieceBytes(ofMatrices: runBytes) + 2 * 4096)
        // Experts are read through memory of their own.
        let pieceCount = 2 * need.runCount * (hasMixtures ? 2 : 1)
        let program = disk.programBytes > 0 ? disk.programBytes : Self.assumedProgramBytes
        // Rows as kernels want them take less than half of what they take before.
        let scratch = saturatingSum(need.scratchBytes, need.scratchBytes / 2)
        self.init(
            programBytes: saturatingSum(program, Self.programGrowthBytes), matrixBytes: need.weightBytes,
            cacheBytes: need.cacheBytes,
            scratchBytes: saturatingSum(scratch, saturatingProduct(Self.threadBytes, disk.threadCount + 1)),
            ringBytesMin: saturatingProduct(pieceCount, pieceBytes), rowsMin: 1, rowsMax: 1)
    }
}
