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

    /// Opens a GGUF file, a Hugging Face folder, or a folder that `shard split` made. Not on the cooperative pool.
    package static func open(_ path: String) throws(CoordinatorError) -> ClusterModel {
        do {
            let folder = try ShardFolder.exists(at: path) ? ShardFolder(path: path) : nil
            let file = try folder?.open() ?? ModelFile.open(path)
            let spec = try ModelSpec(describing: file)
            try spec.validate(against: file)
            return try ClusterModel(path: path, file: file, spec: spec, manifest: folder?.manifest)
        } catch let error as CoordinatorError {
            throw error
        } catch {
            throw CoordinatorError(.configuration, "\(error)", cause: error)
        }
    }

    /// A model that was opened and found to fit its specification.
    ///
    /// - Parameter manifest: of a folder that `shard split` made.
    package init(
        path: String, file: ModelFile, spec: ModelSpec, manifest: ShardManifest?
    ) throws(CoordinatorError) {
        do {
            self.file = file
            self.spec = spec
            shards = manifest?.layerRanges ?? []
            parts = ModelParts(of: file, as: spec)
            table = try EmbeddingTable(model: spec, source: file)
            reference =
                if let manifest {
                    ModelReference(
                        format: .shards, folder: Self.lastComponent(path),
                        files: Self.files(of: manifest) + (try Self.companions(of: file)))
                } else {
                    ModelReference(
                        format: file.folder == nil ? .gguf : .huggingFace,
                        folder: file.folder == nil ? "" : Self.lastComponent(path),
                        files: Self.files(of: file) + (try Self.companions(of: file)))
                }
            let isFolder = manifest != nil || file.folder != nil
            let folder = isFolder ? path : (path as NSString).deletingLastPathComponent
            self.folder = folder.isEmpty ? "." : folder
        } catch {
            throw CoordinatorError(.configuration, "\(error)", cause: error)
        }
    }

    private static func files(of file: ModelFile) -> [ModelReferenceFile] {
        file.files.map {
            ModelReferenceFile(name: ($0.path as NSString).lastPathComponent, bytes: UInt64($0.byteCount))
        }
    }

    private static func files(of manifest: ShardManifest) -> [ModelReferenceFile] {
        manifest.shards.map { shard in
            ModelReferenceFile(
                name: shard.filename, bytes: UInt64(clamping: shard.fileSizeBytes),
                sha256: FileHash(shard.sha256)?.bytes ?? [], units: shard.units)
        }
    }

    /// What a worker must read beside the weights, and so must have as it is here.
    private static func companions(of file: ModelFile) throws -> [ModelReferenceFile] {
        try ["config.json", WeightMap.name].compactMap { name in
            guard let companion = try file.folder?.file(name) else { return nil }
            let hash = withExtendedLifetime(companion) { FileHash(of: companion.bytes) }
            return ModelReferenceFile(
                name: name, bytes: UInt64(companion.byteCount), sha256: hash.bytes, isCompanion: true)
        }
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
                    matrixBytes: ModelParts.matrixBytes(parts.layers[index]),
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
            headMatrixBytes: ModelParts.matrixBytes(parts.head), rowBytes: spec.hiddenSize * MemoryLayout<Float>.size,
            scratchBytesPerRow: (body + rows - 1) / rows,
            headScratchBytesPerRow: (head + headRows - 1) / headRows,
            hasMixtures: spec.layers.contains { if case .experts = $0.feedForward { true } else { false } },
            shards: shards)
    }
}
