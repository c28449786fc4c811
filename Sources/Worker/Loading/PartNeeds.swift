import Devices
import Inference
import ModelFiles
import Models
import Sharding

/// The memory that a part takes, asked for before anything of it is.
struct PartNeeds {
    let stageWeightBytes: [Int]
    let cacheBytes: Int
    let scratchBytes: Int

    var weightBytes: Int { stageWeightBytes.reduce(0, saturatingSum) }

    /// - Throws: ``LoadProblem`` `.outOfMemory` with the sum, when it exceeds the order's limits.
    init(_ order: LoadOrder, model: ModelSpec, file: ModelFile) throws(LoadProblem) {
        try Self.checkFrame(order, model)
        let parts = ModelParts(of: file, as: model)
        stageWeightBytes = order.stages.map { stage in
            let layers = parts.layers[stage.layers].reduce(0) { saturatingSum($0, ModelParts.weightBytes($1)) }
            return saturatingSum(layers, stage.includesHead ? ModelParts.weightBytes(parts.head) : 0)
        }
        var (cache, scratch) = (0, 0)
        for stage in order.stages {
            let options = try ShardRunnerOptions(stage, order.limits)
            cache = saturatingSum(cache, options.cacheBytes(of: model))
            scratch = saturatingSum(scratch, options.scratchBytes(of: model))
        }
        cacheBytes = cache
        scratchBytes = scratch
        let sum = saturatingSum(saturatingSum(weightBytes, cache), scratch)
        // The largest number stands for any sum beyond it, which no limit allows.
        guard sum < .max, UInt64(sum) <= order.limits.memoryBytes else {
            throw LoadProblem(
                .outOfMemory,
                "memory: expected at most \(order.limits.memoryBytes) bytes, got \(sum) (weights \(weightBytes) + cache "
                    + "\(cache) + scratch \(scratch)); give the worker fewer layers, or a smaller context")
        }
    }
}

extension PartNeeds {
    /// Refuses steps whose hidden states fit no message.
    static func checkFrame(_ order: LoadOrder, _ model: ModelSpec) throws(LoadProblem) {
        let frameBytes = saturatingProduct(
            saturatingProduct(order.limits.maxRows, model.hiddenSize), MemoryLayout<Float>.size)
        guard frameBytes <= WireLimits.payloadBytesMax else {
            throw LoadProblem(
                .other,
                "max_rows: expected at most \(WireLimits.payloadBytesMax) bytes of hidden states a step, got "
                    + "\(order.limits.maxRows) rows of \(model.hiddenSize): \(frameBytes)")
        }
    }
}

extension ShardRunnerOptions {
    /// What a stage's runner is made with.
    init(_ stage: StageOrder, _ limits: LoadLimits) throws(LoadProblem) {
        let blocks = KVCache.blocksNeeded(positions: limits.cachePositions)
        guard blocks <= Int(Int32.max) else {
            throw LoadProblem(
                .outOfMemory,
                "cache: expected at most \(Int32.max) blocks of \(CacheShape.blockPositions), got \(blocks)")
        }
        self.init(
            layers: stage.layers, hasHead: stage.includesHead, cacheType: limits.cacheType, cacheBlockCount: blocks,
            rowsMax: limits.maxRows, contextLength: limits.contextLength)
    }
}
