import ModelFiles
import Models

/// All files that a split will make, to the byte, before the first one is written.
struct SplitPlan {
    struct ShardPlan {
        let fileName: String
        let units: [ModelUnit]
        /// Places in the source; in the order of the new file's data.
        let sources: [TensorInfo]
        let head: FileHead
    }

    /// Copied as they are.
    struct CompanionPlan {
        let name: String
        let file: MappedFile
    }

    let shards: [ShardPlan]
    let companions: [CompanionPlan]

    /// What belongs to a Hugging Face model beside its weights.
    private static let companionNames = [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model",
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
        "chat_template.json",
    ]

    /// Bytes of all files but the manifest.
    var byteCount: Int {
        shards.reduce(0) { $0 + $1.head.fileByteCount } + companions.reduce(0) { $0 + $1.file.byteCount }
    }

    init(
        _ model: ModelFile, layout: ShardLayout, parts: ModelParts, sourceHash: FileHash
    ) throws(ModelFileError) {
        var shards: [ShardPlan] = []
        for index in 0..<layout.count {
            let units = layout.units(of: index)
            let sources = Self.tensors(of: units, parts)
            let isGGUF = model.format == .gguf
            let name = ShardManifest.shardFileName(index, extension: isGGUF ? "gguf" : "safetensors")
            let range = layout.ranges[index]
            let head =
                isGGUF
                ? try FileHead.gguf(
                    metadata: model.metadata.entries.filter { !Self.isReplaced($0.key) },
                    additional: [
                        ("shard.index", .uint32(UInt32(index))), ("shard.count", .uint32(UInt32(layout.count))),
                        ("shard.layer_first", .uint32(UInt32(range.lowerBound))),
                        ("shard.layer_end", .uint32(UInt32(range.upperBound))),
                        ("shard.source_sha256", .string(sourceHash.description)),
                    ], tensors: sources, file: name)
                : try FileHead.safetensors(
                    metadata: model.safetensorsMetadata.filter { !Self.isReplaced($0.key) }.merging([
                        "shard.index": "\(index)", "shard.count": "\(layout.count)",
                        "shard.layer_first": "\(range.lowerBound)", "shard.layer_end": "\(range.upperBound)",
                        "shard.source_sha256": sourceHash.description,
                    ]) { $1 }, tensors: sources, file: name)
            shards.append(ShardPlan(fileName: name, units: units, sources: sources, head: head))
        }
        self.shards = shards
        var companions: [CompanionPlan] = []
        if let folder = model.folder {
            for name in Self.companionNames {
                if let file = try folder.file(name) { companions.append(CompanionPlan(name: name, file: file)) }
            }
        }
        self.companions = companions
    }

    /// Tensors of a shard in the order of its data. What no unit needs stays with the embedding; a tied embedding that
    /// the shard has already is not there twice.
    private static func tensors(of units: [ModelUnit], _ parts: ModelParts) -> [TensorInfo] {
        var tensors = parts.shared
        for unit in units {
            switch unit {
            case .embedding: tensors += parts.embedding + parts.other
            case .layer(let index): tensors += parts.layers[index]
            case .head: tensors += parts.head.filter { !units.contains(.embedding) || !parts.embedding.contains($0) }
            }
        }
        return tensors
    }

    /// What a split source or an earlier split said of its own files.
    private static func isReplaced(_ key: String) -> Bool { key.hasPrefix("shard.") || key.hasPrefix("split.") }
}
