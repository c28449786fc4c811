import Devices
import Models
import Sharding
import Tensors

/// Which part of a model a runner computes, and how much it may hold.
package struct ShardRunnerOptions: Sendable, Hashable {
    /// Indices of the model's layers; may be empty for a stage that only has the head.
    package var layers: Range<Int>
    /// Whether the output norm, the head and the sampler follow the layers.
    package var hasHead: Bool
    package var cacheType: CacheElementType
    /// Blocks of 64 positions, shared by all sequences: the hard limit of the KV cache.
    package var cacheBlockCount: Int
    /// Rows of one step at most; sizes every scratch buffer.
    package var rowsMax: Int
    /// Positions of one sequence at most.
    package var contextLength: Int

    package init(
        layers: Range<Int>, hasHead: Bool, cacheType: CacheElementType = .f16, cacheBlockCount: Int,
        rowsMax: Int = 256, contextLength: Int
    ) {
        self.layers = layers
        self.hasHead = hasHead
        self.cacheType = cacheType
        self.cacheBlockCount = cacheBlockCount
        self.rowsMax = rowsMax
        self.contextLength = contextLength
    }

    /// Rows whose logits are computed together; larger steps take several rounds.
    package static let logitRowsMax = 16

    /// Bytes of the KV cache when all its blocks are in use; the largest number where that overflows.
    package func cacheBytes(of model: ModelSpec) -> Int {
        let blockBytes = model.layers[layers].reduce(0) { saturatingSum($0, $1.cacheShape(cacheType).bytesPerBlock) }
        return saturatingProduct(blockBytes, cacheBlockCount)
    }

    /// Bytes of activations that a runner holds between steps; the largest number where that overflows.
    package func scratchBytes(of model: ModelSpec) -> Int {
        let floatsPerRow = model.hiddenSize * 3 + ActivationSizes(model.layers[layers]).floatsPerRow
        var floats = saturatingProduct(floatsPerRow, rowsMax)
        if hasHead { floats = saturatingSum(floats, Self.logitRowsMax * (model.hiddenSize + model.vocabularySize)) }
        return saturatingProduct(floats, MemoryLayout<Float>.size)
    }
}

extension LayerSpec {
    package func cacheShape(_ type: CacheElementType) -> CacheShape {
        CacheShape(
            keyValueHeadCount: attention.keyValueHeadCount, headDim: attention.headDim, elementType: type.elementType)
    }
}

extension CacheElementType {
    fileprivate var elementType: ElementType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .q8_0: .q8_0
        }
    }
}

/// The widths of the activations inside layers; one buffer of each width serves all layers that have it.
struct ActivationSizes {
    var query: Set<Int> = []
    var keyValue: Set<Int> = []
    var feedForward: Set<Int> = []
    var experts: Set<ExpertSizes> = []

    init(_ layers: ArraySlice<LayerSpec>) {
        for layer in layers {
            query.insert(layer.attention.query.outputCount)
            keyValue.insert(layer.attention.key.outputCount)
            switch layer.feedForward {
            case .gated(let spec): feedForward.insert(spec.gate.outputCount)
            case .experts(let spec): experts.insert(ExpertSizes(spec))
            }
        }
    }

    /// Query and attended heads, keys and values, gate and up, and what experts need.
    var floatsPerRow: Int {
        2 * (query.reduce(0, +) + keyValue.reduce(0, +) + feedForward.reduce(0, +))
            + experts.reduce(0) { $0 + $1.floatsPerRow }
    }
}

/// The widths of a mixture's activations; each row of a step has `usedCount` rows of its own there.
struct ExpertSizes: Hashable {
    let count: Int
    let usedCount: Int
    let hiddenSize: Int
    let feedForwardSize: Int

    init(_ spec: ExpertsSpec) {
        count = spec.experts.count
        usedCount = spec.usedCount
        hiddenSize = spec.router.inputCount
        feedForwardSize = spec.experts.first?.gate.outputCount ?? 0
    }

    /// The router's logits twice, once of them for the host; for each expert its input, which its output takes the place
    /// of, gate and up.
    var floatsPerRow: Int { 2 * count + usedCount * (hiddenSize + 2 * feedForwardSize) }
}
