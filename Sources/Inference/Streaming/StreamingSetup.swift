import CKernels
import Devices
import Models
import Sharding

/// How parts of a model run within a budget of memory: what stays, what is read, how many rows a step has. Nothing is
/// loaded yet.
package struct StreamingSetup: Sendable {
    package let budget: MemoryBudget
    package let tensors: StreamedTensors
    package let demand: Demand
    package let parts: [Part]

    /// A run of layers, and the head where it belongs to them.
    package struct Part: Sendable {
        package let layers: Range<Int>
        package let hasHead: Bool
        package let plan: ResidencyPlan
        /// Of the memory through which its weights are read.
        package let ringBytes: Int
    }

    /// What the parts are to hold beside their weights.
    package struct Demand: Sendable, Hashable {
        package var cacheType: CacheElementType
        package var contextLength: Int
        /// Blocks of the cache of all sequences, in each layer.
        package var cacheBlockCount: Int
        package var threads: Int
        /// Rows that a step must be able to have; and that are of use: with more, a step computes longer than its weights
        /// are read on any disk.
        package var rowsMin: Int
        package var rowsMax: Int
        /// What the process holds before.
        package var programBytes: Int

        /// Of all sequences.
        var cachePositions: Int { max(1, saturatingProduct(cacheBlockCount, CacheShape.blockPositions)) }

        package static let rowsMaxDefault = 512
        package static let rowsMaxResident = 256
        /// Kernels take so many rows together.
        package static let rowsMinDefault = 8

        package init(
            cacheType: CacheElementType, contextLength: Int, cacheBlockCount: Int, threads: Int,
            rowsMin: Int = Self.rowsMinDefault, rowsMax: Int = Self.rowsMaxDefault, programBytes: Int
        ) {
            self.cacheType = cacheType
            self.contextLength = contextLength
            self.cacheBlockCount = cacheBlockCount
            self.threads = threads
            self.rowsMin = rowsMin
            self.rowsMax = rowsMax
            self.programBytes = programBytes
        }
    }

    /// Rows of a step. Where everything stays there is no read for long steps to share, and shorter ones stay in the
    /// processor's caches.
    package var rowsMax: Int {
        let streamsNothing = parts.allSatisfy { $0.plan.streamedBytes == 0 }
        return streamsNothing ? min(budget.rowsMax, max(demand.rowsMin, Demand.rowsMaxResident)) : budget.rowsMax
    }

    /// - Parameter parts: at least one.
    /// - Throws: ``PlacementError`` when the budget is too small, ``InferenceError`` for tensors that are not there.
    package init(
        _ model: ModelSpec, tensors: StreamedTensors, parts: [(layers: Range<Int>, hasHead: Bool)], demand: Demand,
        limitBytes: Int
    ) throws {
        let matrices = try parts.map { try tensors.matrices(of: model, layers: $0.layers, hasHead: $0.hasHead) }
        let everything = matrices.map { ResidencyPlan($0, pinnedBytesMax: .max) }
        var need = MemoryBudget.Demand(
            programBytes: demand.programBytes, ringBytesMin: everything.reduce(0) { $0 + $1.ringBytesMin },
            rowsMin: min(demand.rowsMin, demand.cachePositions), rowsMax: min(demand.rowsMax, demand.cachePositions))
        for (part, matrices) in zip(parts, matrices) {
            need.add(ScratchNeed(model, layers: part.layers, hasHead: part.hasHead, matrices, demand))
            need.vectorBytes += model.vectorBytes(layers: part.layers, hasHead: part.hasHead)
            let options = ShardRunnerOptions(
                layers: part.layers, hasHead: part.hasHead, cacheType: demand.cacheType,
                cacheBlockCount: demand.cacheBlockCount, contextLength: demand.contextLength)
            need.cacheBytes = saturatingSum(need.cacheBytes, options.cacheBytes(of: model))
        }
        need.matrixBytes = everything.reduce(0) { $0 + $1.pinnedBytes }
        need.cacheBytesPerPosition = need.cacheBytes / max(1, demand.contextLength)
        let budget = try MemoryBudget(limitBytes: limitBytes, demand: need)
        self.parts = zip(parts, zip(matrices, everything)).map { part, plans in
            // Each part gets of both as much of the whole as its weights are.
            let share = Double(plans.1.pinnedBytes) / Double(max(1, need.matrixBytes))
            let extraRing = budget.ringBytes - need.ringBytesMin
            return Part(
                layers: part.layers, hasHead: part.hasHead,
                plan: ResidencyPlan(
                    plans.0,
                    pinnedBytesMax: parts.count == 1
                        ? budget.pinnedBytesMax : Int(Double(budget.pinnedBytesMax) * share)),
                ringBytes: plans.1.ringBytesMin + (parts.count == 1 ? extraRing : Int(Double(extraRing) * share)))
        }
        self.budget = budget
        self.tensors = tensors
        self.demand = demand
    }
}

extension MemoryBudget.Demand {
    fileprivate mutating func add(_ scratch: ScratchNeed) {
        scratchBytes = saturatingSum(scratchBytes, scratch.fixedBytes)
        scratchBytesPerRow = saturatingSum(scratchBytesPerRow, scratch.bytesPerRow)
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
        fixedBytes += CPUDevice.passingBytes(tileBytes: tileBytes, threadCount: demand.threads)
        let spans = demand.contextLength / Int(SHARD_SPAN_POSITIONS) + 1
        for layer in layerSpecs.prefix(1) {
            let attention = layer.attention
            let heads = attention.headCount / attention.keyValueHeadCount
            fixedBytes += 4 * demand.threads * heads * spans * (attention.headDim + 2) * floatBytes
        }
    }

    /// A row as kernels want it, once for each kind in use.
    private static func preparedBytes(_ matrices: [StreamableMatrix]) -> Int {
        var columns: [UInt32: Int] = [:]
        for matrix in matrices {
            let kind = shard_activation_kind(matrix.type.rawValue)
            columns[kind] = max(columns[kind] ?? 0, matrix.columnCount * (matrix.mixture?.usedCount ?? 1))
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
