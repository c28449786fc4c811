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
        public var isLoaded: Bool
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
            let state = shard.isLoaded ? shard.device + process : "not loaded"
            lines.append(
                "  shard \(shard.index): \(layers)\(shard.hasHead ? " and the head" : ""), "
                    + "\(describeBytes(shard.weightBytes)), \(state)")
        }
        return lines.joined(separator: "\n")
    }
}

extension RunnerCore {
    /// - Parameter place: of a shard by its index: its device, its process, and whether it is loaded.
    func info(
        mode: String, shards: [Range<Int>], place: (Int) -> (device: String, processID: Int32?, isLoaded: Bool)
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
                return RunnerInfo.Shard(
                    index: index, layers: layers, hasHead: hasHead, weightBytes: ModelParts.weightBytes(tensors),
                    device: place.device, processID: place.processID, isLoaded: place.isLoaded)
            })
    }
}
