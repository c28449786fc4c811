import Models
import Sharding

/// What a runner runs, and where.
public struct RunnerInfo: Sendable, Hashable {
    public struct Shard: Sendable, Hashable {
        public var index: Int
        /// Layers in it, half-open.
        public var layers: Range<Int>
        /// Whether the output head is in it.
        public var hasHead: Bool
        /// Bytes of its weights in the model's files.
        public var weightBytes: Int
        /// `cpu`, `cuda:0`, …
        public var device: String
        /// Number of the process that holds it; nil: this one.
        public var processID: Int32?
        /// In mode memory-efficient: whether its weights stay before those of others.
        public var isLoaded: Bool
        /// Of its weights, those that are in memory.
        public var residentBytes: Int
    }

    /// Of a model that is read from disk.
    public struct Streaming: Sendable, Hashable {
        /// For everything that the process holds.
        public var budgetBytes: Int
        /// Weights that stay in memory, and weights that are read for each token.
        public var pinnedBytes: Int
        public var streamedBytes: Int
        /// Read from disk so far.
        public var readBytes: Int
        /// For which nothing could be computed so far because weights were not there yet.
        public var waited: Duration
        /// Part of the weights that a token needs which it finds in memory.
        public var hitRate: Double
        /// Memory for experts of a mixture that were used of late, and the part that was found there so far of what was
        /// needed of experts; nil where no experts are read.
        public var expertCacheBytes: Int?
        public var expertHitRate: Double?
    }

    /// The model's name: that of its file or folder.
    public var name: String
    public var architecture: String
    public var layerCount: Int
    public var vocabularySize: Int
    public var hiddenSize: Int
    /// Tokens that a prompt and its answer may take together here.
    public var contextLength: Int
    /// `simple`, `memory-efficient` or `distributed`.
    public var mode: String
    public var shards: [Shard]
    /// nil unless the mode is `memory-efficient`.
    public var streaming: Streaming?

    /// A few lines for people.
    var summary: String {
        var lines = [
            "\(name): \(architecture), \(layerCount) layers, hidden size \(hiddenSize), vocabulary \(vocabularySize)",
            "mode \(mode), context \(contextLength), \(shards.count) \(shards.count == 1 ? "shard" : "shards")",
        ]
        for shard in shards {
            let layers =
                shard.layers.isEmpty
                ? "no layers"
                : shard.layers.count == 1
                    ? "layer \(shard.layers.lowerBound)"
                    : "layers \(shard.layers.lowerBound)-\(shard.layers.upperBound - 1)"
            let process = shard.processID.map { " in process \($0)" } ?? ""
            let place = shard.device + process
            let state =
                streaming == nil
                ? shard.isLoaded ? place : "not loaded"
                : "\(place), \(describeBytes(shard.residentBytes)) in memory"
            lines.append(
                "  shard \(shard.index): \(layers)\(shard.hasHead ? " and the head" : ""), "
                    + "\(describeBytes(shard.weightBytes)), \(state)")
        }
        if let streaming {
            lines.append(
                "budget \(describeBytes(streaming.budgetBytes)): \(describeBytes(streaming.pinnedBytes)) stay, "
                    + "\(describeBytes(streaming.streamedBytes)) are read for each token "
                    + "(\(Int((streaming.hitRate * 100).rounded())) % found in memory)")
            if let cacheBytes = streaming.expertCacheBytes {
                let found = streaming.expertHitRate.map { ", \(Int(($0 * 100).rounded())) % were found there" } ?? ""
                lines.append("experts used of late: \(describeBytes(cacheBytes))\(found)")
            }
        }
        return lines.joined(separator: "\n")
    }
}

extension RunnerCore {
    /// - Parameters:
    ///   - place: of a shard by its index: its device, its process, and whether it is loaded.
    ///   - residentBytes: of a shard's weights; nil: all of a shard that is loaded.
    func info(
        mode: String, shards: [Range<Int>], residentBytes: ((Int) -> Int)? = nil,
        place: (Int) -> (device: String, processID: Int32?, isLoaded: Bool)
    ) -> RunnerInfo {
        let parts = ModelParts(of: model.file, as: model.spec)
        return RunnerInfo(
            name: model.file.name, architecture: model.spec.architecture, layerCount: model.spec.layers.count,
            vocabularySize: model.spec.vocabularySize, hiddenSize: model.spec.hiddenSize,
            contextLength: contextLength, mode: mode,
            shards: shards.enumerated().map { index, layers in
                let hasHead = index == shards.count - 1
                let tensors = parts.layers[layers].flatMap { $0 } + (hasHead ? parts.head : [])
                let place = place(index)
                let bytes = ModelParts.weightBytes(tensors)
                return RunnerInfo.Shard(
                    index: index, layers: layers, hasHead: hasHead, weightBytes: bytes, device: place.device,
                    processID: place.processID, isLoaded: place.isLoaded,
                    residentBytes: residentBytes?(index) ?? (place.isLoaded ? bytes : 0))
            })
    }
}
