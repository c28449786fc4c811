import Sharding

/// The object that `shard info --json` prints.
struct InfoReport: Encodable {
    struct Quantization: Encodable {
        var type: String
        var tensors: Int
        var bytes: Int
    }

    struct Tokenizer: Encodable {
        var kind: String
        var tokens: Int?
    }

    struct Shard: Encodable {
        var shard_id: Int
        var filename: String
        var layer_names: [String]
        var file_size_bytes: Int
        var sha256: String
    }

    struct Tensor: Encodable {
        var name: String
        var type: String
        var shape: [Int]
        var bytes: Int
        var file: String
        var offset: Int
    }

    var path: String
    /// `gguf`, `hugging_face`, `shard_folder`, `shard`.
    var kind: String
    var architecture: String
    var model_class: String?
    var can_run: Bool
    var reason: String?
    var parameters: Int
    var layers: Int?
    var context_length: Int?
    var hidden_size: Int?
    var vocabulary_size: Int?
    var head_count: Int?
    var key_value_head_count: Int?
    var head_dim: Int?
    var weight_bytes: Int
    /// With an f16 cache.
    var cache_bytes_per_1000_tokens: Int?
    var quantization: [Quantization]
    var tokenizer: Tokenizer?
    /// Of a single shard: which it is.
    var shard_id: Int?
    var num_shards: Int?
    var layer_first: Int?
    var layer_end: Int?
    var shards: [Shard]?
    var tensors: [Tensor]?

    init(_ summary: ModelSummary, path: String, listsTensors: Bool) {
        self.path = path
        architecture = summary.architecture
        model_class = summary.modelClass
        can_run = summary.unsupportedReason == nil
        reason = summary.unsupportedReason
        parameters = summary.parameterCount
        layers = summary.hyperparameters?.blockCount
        context_length = summary.hyperparameters?.contextLength
        hidden_size = summary.hyperparameters?.hiddenSize
        vocabulary_size = summary.hyperparameters?.vocabularySize
        head_count = summary.hyperparameters?.headCount
        key_value_head_count = summary.hyperparameters?.keyValueHeadCount
        head_dim = summary.hyperparameters?.headDim
        weight_bytes = summary.weightBytes
        cache_bytes_per_1000_tokens = summary.stateBytesPerToken.map { $0 * 1000 }
        quantization = summary.types.map { Quantization(type: $0.type, tensors: $0.tensorCount, bytes: $0.bytes) }
        tokenizer = summary.tokenizer.map { Tokenizer(kind: $0.kind, tokens: $0.tokenCount) }
        switch summary.kind {
        case .gguf: kind = "gguf"
        case .huggingFace: kind = "hugging_face"
        case .shardFolder:
            kind = "shard_folder"
            num_shards = summary.manifest?.numShards
        case .shard(let index, let count, let range):
            kind = "shard"
            (shard_id, num_shards, layer_first, layer_end) = (index, count, range.lowerBound, range.upperBound)
        }
        shards = summary.manifest?.shards.map {
            Shard(
                shard_id: $0.shardID, filename: $0.filename, layer_names: $0.layerNames,
                file_size_bytes: $0.fileSizeBytes, sha256: $0.sha256)
        }
        guard listsTensors else { return }
        tensors = summary.model.tensors.map {
            Tensor(
                name: $0.name, type: $0.type.name, shape: $0.shape, bytes: $0.byteCount,
                file: summary.model.files[$0.fileIndex].name, offset: $0.offset)
        }
    }
}
