import CKernels
import Models
import Sharding

/// How a shard runs within a budget of memory: what stays, what is read, how many rows a step has. Nothing is loaded yet.
package struct StreamingSetup: Sendable {
    package let budget: MemoryBudget
    package let plan: ResidencyPlan
    package let tensors: StreamedTensors
    package let demand: Demand

    /// What the shard is to hold beside its weights.
    package struct Demand: Sendable, Hashable {
        package var cacheType: CacheElementType
        package var contextLength: Int
        /// Sequences that each have a whole context.
        package var sequencesMax: Int
        package var threads: Int
        /// Rows of a step that are of use: with more, a step computes longer than its weights are read on any disk.
        package var rowsMax: Int
        /// What the process holds before.
        package var programBytes: Int

        package static let rowsMaxDefault = 512

        package init(
            cacheType: CacheElementType, contextLength: Int, sequencesMax: Int, threads: Int,
            rowsMax: Int = Self.rowsMaxDefault,
            programBytes: Int
        ) {
            self.cacheType = cacheType
            self.contextLength = contextLength
            self.sequencesMax = sequencesMax
            self.threads = threads
            self.rowsMax = rowsMax
            self.programBytes = programBytes
        }

        package var cacheBlockCount: Int {
            saturatingProduct(KVCache.blocksNeeded(positions: contextLength), sequencesMax)
        }
    }

    /// - Throws: ``PlacementError`` when the budget is too small, ``InferenceError`` for tensors that are not there.
    package init(
        _ model: ModelSpec, tensors: StreamedTensors, layers: Range<Int>, hasHead: Bool, demand: Demand,
        limitBytes: Int
    ) throws {
        let matrices = try tensors.matrices(of: model, layers: layers, hasHead: hasHead)
        let everything = ResidencyPlan(matrices, pinnedBytesMax: .max)
        let scratch = ScratchNeed(model, layers: layers, hasHead: hasHead, matrices, demand)
        let options = ShardRunnerOptions(
            layers: layers, hasHead: hasHead, cacheType: demand.cacheType, cacheBlockCount: demand.cacheBlockCount,
            contextLength: demand.contextLength)
        let cacheBytes = options.cacheBytes(of: model)
        budget = try MemoryBudget(
            limitBytes: limitBytes,
            demand: MemoryBudget.Demand(
                programBytes: demand.programBytes,
                vectorBytes: model.vectorBytes(layers: layers, hasHead: hasHead),
                matrixBytes: everything.pinnedBytes, cacheBytes: cacheBytes,
                cacheBytesPerPosition: cacheBytes / max(1, saturatingProduct(demand.contextLength, 1)),
                scratchBytes: scratch.fixedBytes, scratchBytesPerRow: scratch.bytesPerRow,
                ringBytesMin: everything.ringBytesMin, rowsMax: min(demand.rowsMax, demand.contextLength)))
        plan = ResidencyPlan(matrices, pinnedBytesMax: budget.pinnedBytesMax)
        self.tensors = tensors
        self.demand = demand
    }
}

/// Working memory of a shard on a CPU device: of the runner, of the head and its sampler, and of the device.
private struct ScratchNeed {
    private(set) var fixedBytes = 0
    private(set) var bytesPerRow = 0

    init(
        _ model: ModelSpec, layers: Range<Int>, hasHead: Bool, _ matrices: [StreamableMatrix],
        _ demand: StreamingSetup.Demand
    ) {
        let floatBytes = MemoryLayout<Float>.size
        let layerSpecs = model.layers[layers]
        // Four of the hidden size: three of the runner, and the chain's between shards.
        let floats = 4 * model.hiddenSize + ActivationSizes(layerSpecs).floatsPerRow
        let pairs = layerSpecs.compactMap { $0.attention.rotary?.frequencies.count }.max() ?? 0
        bytesPerRow = (floats + 2 * pairs) * floatBytes + Self.preparedBytes(matrices)
        if hasHead {
            fixedBytes += ShardRunnerOptions.logitRowsMax * 2 * (model.hiddenSize + model.vocabularySize) * floatBytes
            fixedBytes += Sampler.bytesPerToken * model.vocabularySize
        }
        let tileBytes = matrices.map { shard_tile_bytes($0.type.rawValue, $0.columnCount) }.max() ?? 0
        fixedBytes += demand.threads * max(tileBytes, Self.tilesTogetherBytes)
        let spans = demand.contextLength / Int(SHARD_SPAN_POSITIONS) + 1
        for layer in layerSpecs.prefix(1) {
            let attention = layer.attention
            let heads = attention.headCount / attention.keyValueHeadCount
            fixedBytes += 4 * demand.threads * heads * spans * (attention.headDim + 2) * floatBytes
        }
    }

    /// Of tiles that a thread packs before it multiplies with them.
    private static let tilesTogetherBytes = 256 << 10

    /// A row as kernels want it, once for each kind in use.
    private static func preparedBytes(_ matrices: [StreamableMatrix]) -> Int {
        var columns: [UInt32: Int] = [:]
        for matrix in matrices {
            let kind = shard_activation_kind(matrix.type.rawValue)
            columns[kind] = max(columns[kind] ?? 0, matrix.columnCount)
        }
        return columns.reduce(0) { $0 + shard_activation_bytes($1.key, $1.value) }
    }
}

extension ModelSpec {
    /// Norms and biases as f32, each on pages of its own.
    fileprivate func vectorBytes(layers range: Range<Int>, hasHead: Bool) -> Int {
        let pageBytes = 4096
        var needed: [TensorRequirement] = hasHead ? headRequirements : []
        for index in range { needed += requirements(ofLayer: index) }
        var bytes = 0
        for vector in needed where vector.shape.count == 1 {
            bytes += (vector.shape[0] * MemoryLayout<Float>.size + pageBytes - 1) / pageBytes * pageBytes
        }
        return bytes
    }
}
