import ModelFiles
import Models
import Tensors

/// What a model, or one shard of it, is, for people: read from its files without touching weights.
package struct ModelSummary: Sendable {
    package enum Kind: Sendable, Hashable {
        case gguf
        case huggingFace
        case shardFolder
        /// One file of a shard folder.
        case shard(index: Int, count: Int, layers: Range<Int>)
    }

    /// Tensors of one element type.
    package struct TypeShare: Sendable, Hashable {
        package var type: String
        package var tensorCount: Int
        package var bytes: Int
    }

    package var kind: Kind
    package var model: ModelFile
    /// Nil for a model that is not of a folder of shards.
    package var manifest: ShardManifest?
    package var architecture: String
    package var modelClass: String?
    /// Elements of all tensors, each counted once.
    package var parameterCount: Int
    package var weightBytes: Int
    /// Most bytes first.
    package var types: [TypeShare]
    package var tokenizer: TokenizerSummary?
    /// Sizes; nil where the file does not give them all, as one with a vocabulary alone.
    package var hyperparameters: ModelHyperparameters?
    /// Bytes of cache that one token takes in the layers here, f16; nil for families that are not known.
    package var stateBytesPerToken: Int?
    /// Why the model cannot run here; nil where it can, or is only a shard.
    package var unsupportedReason: String?

    /// Opens whatever holds a model: a GGUF file, a Hugging Face folder, a shard folder, or one of its shards.
    package init(path: String) throws(ShardingError) {
        do {
            if ShardFolder.exists(at: path) {
                let folder = try ShardFolder(path: path)
                manifest = folder.manifest
                model = try folder.open()
                kind = .shardFolder
            } else {
                model = try ModelFile.open(path)
                kind = Self.shard(model) ?? (model.format == .gguf ? .gguf : .huggingFace)
            }
            architecture = try model.architecture()
        } catch {
            throw error as? ShardingError ?? ShardingError(error)
        }
        parameterCount = model.tensors.reduce(0) { $0 &+ $1.elementCount }
        weightBytes = model.tensors.reduce(0) { $0 &+ $1.byteCount }
        types = Dictionary(grouping: model.tensors, by: \.type).map { type, tensors in
            TypeShare(type: type.name, tensorCount: tensors.count, bytes: tensors.reduce(0) { $0 &+ $1.byteCount })
        }.sorted { ($1.bytes, $0.type) < ($0.bytes, $1.type) }
        tokenizer = TokenizerSummary(of: model)
        hyperparameters = try? model.hyperparameters()
        modelClass = hyperparameters?.modelClass
        do {
            let spec = try ModelSpec(describing: model)
            let layers: Range<Int>
            if case .shard(_, _, let range) = kind {
                layers = range.clamped(to: spec.layers.indices)
            } else {
                layers = spec.layers.indices
                try spec.validate(against: model)
            }
            stateBytesPerToken = spec.layers[layers].reduce(0) { $0 + ($1.stateBytesPerToken(.f16) ?? 0) }
        } catch {
            unsupportedReason = error.description
        }
    }

    /// What a shard says of itself; nil for other files.
    private static func shard(_ model: ModelFile) -> Kind? {
        func number(_ key: String) -> Int? {
            let text = model.safetensorsMetadata["shard.\(key)"]
            return text.flatMap { Int($0) } ?? model.metadata["shard.\(key)"]?.integerValue
        }
        guard let index = number("index"), let count = number("count"), let first = number("layer_first"),
            let end = number("layer_end"), index >= 0, index < count, first >= 0, first <= end
        else { return nil }
        return .shard(index: index, count: count, layers: first..<end)
    }
}
