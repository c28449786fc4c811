/// `manifest.json` of a shard folder: what the model is, and which file holds which layers and tensors.
package struct ShardManifest: Sendable, Hashable, Codable {
    package static let fileName = "manifest.json"
    package static let currentVersion = 1

    package var manifestVersion: Int
    package var source: Source
    /// The Hugging Face class, or the GGUF architecture.
    package var modelClass: String
    package var architecture: String
    /// Blocks of the whole model.
    package var totalLayers: Int
    package var numShards: Int
    package var shards: [Shard]
    /// Configuration and tokenizer of a Hugging Face model, copied beside its shards; a GGUF shard carries them itself.
    package var files: [CompanionFile]?

    /// The model that was split.
    package struct Source: Sendable, Hashable, Codable {
        /// Its file or folder, without a path.
        package var name: String
        package var bytes: Int
        /// SHA-256 of the file; of several files, of the lines `HASH  NAME\n` in the order of the names.
        package var sha256: String?
    }

    package struct Shard: Sendable, Hashable, Codable {
        package var shardID: Int
        /// Bare.
        package var filename: String
        /// Units: `embedding`, `blk.0` …, `head`.
        package var layerNames: [String]
        /// Blocks in it.
        package var numLayers: Int
        package var fileSizeBytes: Int
        package var sha256: String
        package var layers: [Layer]
        package var tensors: [Tensor]

        private enum CodingKeys: String, CodingKey {
            case shardID = "shard_id"
            case filename
            case layerNames = "layer_names"
            case numLayers = "num_layers"
            case fileSizeBytes = "file_size_bytes"
            case sha256, layers, tensors
        }

        /// The same as values.
        package var units: [ModelUnit] { layerNames.compactMap(ModelUnit.init) }
    }

    /// One block, as placement counts it.
    package struct Layer: Sendable, Hashable, Codable {
        package var index: Int
        /// Its mechanism: `attention`.
        package var kind: String
        package var weightBytes: Int
        /// State that grows with each token, counted for an f16 cache.
        package var stateBytesPerToken: Int
        package var stateBytesFixed: Int

        private enum CodingKeys: String, CodingKey {
            case index, kind
            case weightBytes = "weight_bytes"
            case stateBytesPerToken = "state_bytes_per_token"
            case stateBytesFixed = "state_bytes_fixed"
        }
    }

    package struct Tensor: Sendable, Hashable, Codable {
        package var name: String
        /// Outermost dimension first.
        package var shape: [Int]
        package var type: String
        /// From the start of the shard's file.
        package var offset: Int
        package var bytes: Int
        package var sha256: String
    }

    package struct CompanionFile: Sendable, Hashable, Codable {
        /// Bare.
        package var filename: String
        package var fileSizeBytes: Int
        package var sha256: String

        private enum CodingKeys: String, CodingKey {
            case filename
            case fileSizeBytes = "file_size_bytes"
            case sha256
        }
    }

    private enum CodingKeys: String, CodingKey {
        case manifestVersion = "manifest_version"
        case source
        case modelClass = "model_class"
        case architecture
        case totalLayers = "total_layers"
        case numShards = "num_shards"
        case shards, files
    }
}

extension ShardManifest {
    /// Layers of each shard; consecutive.
    package var layerRanges: [Range<Int>] {
        var first = 0
        return shards.map { shard in
            defer { first += shard.layers.count }
            return first..<first + shard.layers.count
        }
    }

    /// Name of a shard's file.
    package static func shardFileName(_ index: Int, extension fileExtension: String) -> String {
        let digits = String(index)
        return "shard_" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits + "." + fileExtension
    }
}
