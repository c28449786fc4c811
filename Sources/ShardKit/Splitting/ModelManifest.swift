import Sharding

/// What a folder of shards holds, as its `manifest.json` says.
public struct ModelManifest: Sendable, Hashable {
    /// One file of the folder.
    public struct Shard: Sendable, Hashable {
        /// From 0.
        public var index: Int
        /// Bare name, without a path.
        public var fileName: String
        /// Names of the units in it: `embedding`, `blk.0` and so on, `head`.
        public var layerNames: [String]
        /// Layers in it, the embedding and the head not counted.
        public var layerCount: Int
        public var fileSizeBytes: Int
        /// SHA-256 of the file, hexadecimal.
        public var sha256: String
    }

    /// Name of the file or folder that was split, without a path.
    public var sourceName: String
    public var sourceBytes: Int
    /// The Hugging Face class, or the GGUF architecture.
    public var modelClass: String
    public var architecture: String
    /// Layers of the whole model.
    public var layerCount: Int
    public var shards: [Shard]

    init(_ manifest: ShardManifest) {
        sourceName = manifest.source.name
        sourceBytes = manifest.source.bytes
        modelClass = manifest.modelClass
        architecture = manifest.architecture
        layerCount = manifest.totalLayers
        shards = manifest.shards.map { shard in
            Shard(
                index: shard.shardID, fileName: shard.filename, layerNames: shard.layerNames,
                layerCount: shard.numLayers, fileSizeBytes: shard.fileSizeBytes, sha256: shard.sha256)
        }
    }
}
