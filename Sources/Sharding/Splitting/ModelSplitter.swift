import Foundation
import ModelFiles
import Models

/// Deals a model's layers into shard files.
package struct ModelSplitter: Sendable {
    package let model: ModelFile
    package let spec: ModelSpec
    private let parts: ModelParts

    /// Opens a GGUF file, a Hugging Face folder, or a shard folder, and finds the layers in it.
    package init(source path: String) throws(ShardingError) {
        do {
            model = try ModelFile.open(path)
            spec = try ModelSpec(describing: model)
            try spec.validate(against: model)
        } catch {
            throw ShardingError(error)
        }
        parts = ModelParts(of: model, as: spec)
    }

    /// Blocks of the model.
    package var layerCount: Int { spec.layers.count }

    /// Where the work stands.
    package struct Progress: Sendable, Hashable {
        package enum Phase: String, Sendable, Hashable {
            /// Hashing the source.
            case reading
            case writing
        }

        package var phase: Phase
        package var doneBytes: Int
        package var totalBytes: Int
    }

    /// Writes shards and `manifest.json` into a folder that appears whole or not at all.
    ///
    /// - Parameters:
    ///   - shards: At least 1; at most as many as there are layers are made (``ShardLayout/warning``).
    ///   - folder: New or empty.
    ///   - isReplacing: Whether a shard folder that is there already is replaced.
    ///   - hashCache: Where the source's hash may be known from.
    ///   - freeBytes: How much may be written to the disk that a path lies on.
    ///   - progress: Called after each piece; may throw to stop, which leaves nothing behind.
    package func split(
        shards: Int, into folder: String, isReplacing: Bool = false,
        hashCache: FileHashCache = FileHashCache(folder: nil),
        freeBytes: (String) -> Int? = { DiskSpace.freeBytes($0) },
        progress: (Progress) throws(CancellationError) -> Void = { _ throws(CancellationError) in }
    ) throws(ShardingError) -> ShardManifest {
        guard shards >= 1 else {
            throw ShardingError(.request, place: model.name, field: "shards", expected: "at least 1", got: "\(shards)")
        }
        let layout = ShardLayout(layerCount: layerCount, shardCount: shards)
        try refuseOwnFolder(folder)
        let staging = try StagingFolder(target: folder, isReplacing: isReplacing)
        let sourceHash = try hashSource(hashCache, progress)
        let plan: SplitPlan
        do {
            plan = try SplitPlan(model, layout: layout, parts: parts, sourceHash: sourceHash)
        } catch {
            throw ShardingError(error)
        }
        // The manifest takes a few hundred bytes a tensor.
        let needed = plan.byteCount + plan.shards.reduce(0) { $0 + 512 * $1.sources.count }
        if let free = freeBytes(staging.path), free < needed {
            throw DiskSpace.lacking(path: folder, neededBytes: needed, freeBytes: free)
        }

        var done = 0
        let total = plan.byteCount
        func report(_ bytes: Int) throws(ShardingError) {
            done += bytes
            do {
                try progress(Progress(phase: .writing, doneBytes: done, totalBytes: total))
            } catch {
                throw Self.cancelled(folder)
            }
        }
        var written: [ShardManifest.Shard] = []
        for (index, shard) in plan.shards.enumerated() {
            written.append(try write(shard, index: index, into: staging.path, report))
        }
        var companions: [ShardManifest.CompanionFile] = []
        for companion in plan.companions {
            companions.append(try copy(companion, into: staging.path, report))
        }
        let manifest = ShardManifest(
            manifestVersion: ShardManifest.currentVersion,
            source: .init(name: model.name, bytes: model.byteCount, sha256: sourceHash.description),
            modelClass: spec.modelClass, architecture: spec.architecture, totalLayers: layerCount,
            numShards: written.count,
            shards: written, files: companions.isEmpty ? nil : companions)
        var file = try HashedFileWriter(path: "\(staging.path)/\(ShardManifest.fileName)")
        try file.append(Array(manifest.encoded()))
        _ = try file.finish()
        try staging.publish()
        return manifest
    }

    /// Replacing the folder that the source lies in would delete the source.
    private func refuseOwnFolder(_ folder: String) throws(ShardingError) {
        func resolved(_ path: String) -> String {
            URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
        }
        let target = resolved(folder)
        for file in model.files where resolved(file.path).hasPrefix(target + "/") {
            throw ShardingError(
                .request, place: folder, expected: "a folder other than the model's own", got: file.path,
                hint: "name a new folder")
        }
    }

    private func hashSource(
        _ cache: FileHashCache, _ progress: (Progress) throws(CancellationError) -> Void
    ) throws(ShardingError) -> FileHash {
        var done = 0
        let total = model.byteCount
        var hashes: [(name: String, hash: FileHash)] = []
        do {
            for file in model.files {
                let hash = try cache.hash(of: file) { (bytes) throws(CancellationError) in
                    done += bytes
                    try progress(Progress(phase: .reading, doneBytes: done, totalBytes: total))
                }
                hashes.append((file.name, hash))
            }
        } catch {
            throw Self.cancelled(model.name)
        }
        if hashes.count == 1 { return hashes[0].hash }
        let lines = hashes.sorted { $0.name < $1.name }.map { "\($0.hash)  \($0.name)\n" }.joined()
        return Array(lines.utf8).withUnsafeBytes { FileHash(of: $0) }
    }

    private func write(
        _ plan: SplitPlan.ShardPlan, index: Int, into folder: String, _ report: (Int) throws(ShardingError) -> Void
    ) throws(ShardingError) -> ShardManifest.Shard {
        var writer = try HashedFileWriter(path: "\(folder)/\(plan.fileName)")
        try writer.append(plan.head.bytes)
        try report(plan.head.bytes.count)
        var listed: [ShardManifest.Tensor] = []
        for (place, source) in plan.sources.enumerated() {
            let target = plan.head.tensors[place]
            precondition(writer.byteCount == target.offset, "data is written where the head says")
            let hash = try writer.append(model.bytes(of: source), progress: report)
            // Read once: its pages are not needed again.
            model.advise(.dontNeed, source)
            let padding = plan.head.padding(afterTensor: place)
            try writer.append([UInt8](repeating: 0, count: padding))
            try report(padding)
            listed.append(
                ShardManifest.Tensor(
                    name: target.name, shape: target.shape, type: target.type.name, offset: target.offset,
                    bytes: target.byteCount, sha256: hash.description))
        }
        let layers = plan.units.compactMap { unit -> ShardManifest.Layer? in
            guard case .layer(let index) = unit else { return nil }
            return layer(index)
        }
        return ShardManifest.Shard(
            shardID: index, filename: plan.fileName, layerNames: plan.units.map(\.description),
            numLayers: layers.count, fileSizeBytes: writer.byteCount, sha256: try writer.finish().description,
            layers: layers, tensors: listed)
    }

    private func layer(_ index: Int) -> ShardManifest.Layer {
        let layer = spec.layers[index]
        // f16 has no blocks that a head could fail to fill.
        guard let stateBytes = layer.stateBytesPerToken(.f16) else { preconditionFailure("f16 stores any count") }
        return ShardManifest.Layer(
            index: index, kind: layer.kind, weightBytes: ModelParts.weightBytes(parts.layers[index]),
            stateBytesPerToken: stateBytes, stateBytesFixed: layer.stateBytesFixed)
    }

    private func copy(
        _ companion: SplitPlan.CompanionPlan, into folder: String, _ report: (Int) throws(ShardingError) -> Void
    ) throws(ShardingError) -> ShardManifest.CompanionFile {
        var writer = try HashedFileWriter(path: "\(folder)/\(companion.name)")
        try writer.append(companion.file.bytes, progress: report)
        let byteCount = writer.byteCount
        return ShardManifest.CompanionFile(
            filename: companion.name, fileSizeBytes: byteCount, sha256: try writer.finish().description)
    }

    private static func cancelled(_ place: String) -> ShardingError {
        ShardingError(.cancelled, place: place, expected: "to finish", got: "a request to stop; nothing was written")
    }
}
