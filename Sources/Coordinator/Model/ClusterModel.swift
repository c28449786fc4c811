import Devices
import Foundation
import Inference
import ModelFiles
import Models
import Sharding

/// The model of a cluster as its coordinator sees it: what to place, what workers must find, and the embedding.
package struct ClusterModel: Sendable {
    package let spec: ModelSpec
    package let file: ModelFile
    package let reference: ModelReference
    /// Where local workers find the files.
    package let folder: String
    package let table: EmbeddingTable
    private let parts: ModelParts
    private let shards: [Range<Int>]

    /// Opens a GGUF file, a Hugging Face folder, or a folder that `shard split` made.
    package static func open(_ path: String) throws(CoordinatorError) -> ClusterModel {
        do {
            return try ShardFolder.exists(at: path) ? ClusterModel(shards: path) : ClusterModel(model: path)
        } catch let error as CoordinatorError {
            throw error
        } catch {
            throw CoordinatorError(.configuration, "\(error)", cause: error)
        }
    }

    private init(model path: String) throws {
        let file = try ModelFile.open(path)
        let files = file.files.map {
            ModelReferenceFile(name: ($0.path as NSString).lastPathComponent, bytes: UInt64($0.byteCount))
        }
        let isFolder = file.folder != nil
        let folder = isFolder ? path : (path as NSString).deletingLastPathComponent
        try self.init(
            file: file,
            reference: ModelReference(
                format: isFolder ? .huggingFace : .gguf,
                folder: isFolder ? Self.lastComponent(path) : "", files: files),
            folder: folder.isEmpty ? "." : folder, shards: [])
    }

    private init(shards path: String) throws {
        let shardFolder = try ShardFolder(path: path)
        let manifest = shardFolder.manifest
        let files = manifest.shards.map { shard in
            ModelReferenceFile(
                name: shard.filename, bytes: UInt64(clamping: shard.fileSizeBytes),
                sha256: FileHash(shard.sha256)?.bytes ?? [], units: shard.units)
        }
        try self.init(
            file: try shardFolder.open(),
            reference: ModelReference(format: .shards, folder: Self.lastComponent(path), files: files), folder: path,
            shards: manifest.shards.map { shard in
                let layers = shard.layers.map(\.index)
                return (layers.min() ?? 0)..<((layers.max() ?? -1) + 1)
            })
    }

    private init(file: ModelFile, reference: ModelReference, folder: String, shards: [Range<Int>]) throws {
        self.file = file
        self.reference = reference
        self.folder = folder
        self.shards = shards
        spec = try ModelSpec(describing: file)
        try spec.validate(against: file)
        parts = ModelParts(of: file, as: spec)
        table = try EmbeddingTable(model: spec, source: file)
    }

    /// `demo` of `/models/demo/`.
    private static func lastComponent(_ path: String) -> String {
        let name = (path as NSString).lastPathComponent
        guard name == "." || name == ".." || name == "/" else { return name }
        return (URL(fileURLWithPath: path).standardizedFileURL.path as NSString).lastPathComponent
    }

    /// What a placement counts, for a cache of this type.
    package func placementModel(
        name: String, cacheType: CacheElementType, maxRows: Int, maxHeadRows: Int
    ) throws(CoordinatorError) -> PlacementModel {
        let shared = ModelParts.weightBytes(parts.shared)
        var layers: [PlacementModel.Layer] = []
        for (index, layer) in spec.layers.enumerated() {
            guard let state = cacheType.byteCount(elementCount: layer.stateElementsPerToken) else {
                throw CoordinatorError(
                    .configuration,
                    "model.kv_type: expected f32 or f16 for heads of \(layer.attention.headDim), got \(cacheType)")
            }
            layers.append(
                PlacementModel.Layer(
                    weightBytes: ModelParts.weightBytes(parts.layers[index]) + (index == 0 ? shared : 0),
                    stateBytesPerToken: state, stateBytesFixed: layer.stateBytesFixed))
        }
        let (rows, headRows) = (max(1, maxRows), max(1, maxHeadRows))
        func scratch(_ layers: Range<Int>, hasHead: Bool) -> Int {
            ShardRunnerOptions(
                layers: layers, hasHead: hasHead, cacheType: cacheType, cacheBlockCount: 0, rowsMax: rows,
                contextLength: spec.contextLength
            ).scratchBytes(of: spec)
        }
        let body = scratch(0..<spec.layers.count, hasHead: false)
        let head = scratch(0..<0, hasHead: true)
        return PlacementModel(
            name: name, layers: layers, headWeightBytes: ModelParts.weightBytes(parts.head),
            scratchBytesPerRow: (body + rows - 1) / rows, headScratchBytesPerRow: (head + headRows - 1) / headRows,
            shards: shards)
    }
}
