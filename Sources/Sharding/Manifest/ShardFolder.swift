import Foundation
import ModelFiles

/// A folder that `shard split` made: its manifest, and its files when they are asked for.
package struct ShardFolder: Sendable {
    package let path: String
    package let manifest: ShardManifest

    /// Reads and checks `manifest.json`; opens no shard.
    package init(path: String) throws(ShardingError) {
        self.path = path
        let place = "\(path.lastPathComponent)/\(ShardManifest.fileName)"
        let folder: HuggingFaceFolder
        let file: MappedFile?
        do {
            folder = try HuggingFaceFolder(path: path)
            file = try folder.file(ShardManifest.fileName)
        } catch {
            throw ShardingError(error)
        }
        guard let file else {
            throw ShardingError(
                .manifest, place: path, expected: "a folder with manifest.json", got: "none",
                hint: "make one with: shard split MODEL --shards N -o \(path)")
        }
        guard file.byteCount <= ShardManifest.bytesMax else {
            throw ShardingError(
                .manifest, place: place, expected: "at most \(ShardManifest.bytesMax) bytes", got: "\(file.byteCount)")
        }
        manifest = try ShardManifest(decoding: Data(file.bytes), place: place)
    }

    /// Whether a path is a folder with a manifest.
    package static func exists(at path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/\(ShardManifest.fileName)")
    }

    /// Opens shards as one model and compares them with the manifest: sizes, and each tensor's type, shape and place.
    ///
    /// - Parameter shards: Which; nil opens all.
    package func open(shards: [Int]? = nil) throws(ShardingError) -> ModelFile {
        let chosen = shards ?? Array(manifest.shards.indices)
        var paths: [String] = []
        for index in chosen {
            guard manifest.shards.indices.contains(index) else {
                throw ShardingError(
                    .request, place: path, field: "shard", expected: "0 to \(manifest.shards.count - 1)",
                    got: "\(index)")
            }
            paths.append(try filePath(manifest.shards[index].filename))
        }
        let model: ModelFile
        do { model = try ModelFile.open(files: paths) } catch { throw ShardingError(error) }
        for (place, index) in chosen.enumerated() {
            try compare(manifest.shards[index], with: model, fileIndex: place)
        }
        return model
    }

    /// Path of a file of this folder.
    ///
    /// - Throws: ``ShardingError`` where there is none, or a link leads elsewhere.
    package func filePath(_ name: String) throws(ShardingError) -> String {
        let resolved: MappedFile?
        do { resolved = try HuggingFaceFolder(path: path).file(name) } catch { throw ShardingError(error) }
        guard resolved != nil else {
            throw ShardingError(
                .mismatch, place: path, field: name, expected: "the file that manifest.json names", got: "no such file")
        }
        return "\(path)/\(name)"
    }

    private func compare(
        _ shard: ShardManifest.Shard, with model: ModelFile, fileIndex: Int
    ) throws(ShardingError) {
        let file = model.files[fileIndex]
        guard file.byteCount == shard.fileSizeBytes else {
            throw ShardingError(
                .mismatch, place: file.path, expected: "\(shard.fileSizeBytes) bytes", got: "\(file.byteCount)",
                hint: "is this the file that the manifest names?")
        }
        for listed in shard.tensors {
            // A tensor that several shards carry is listed once, in the first of them.
            guard let tensor = model.tensor(listed.name) else {
                throw ShardingError(
                    .mismatch, place: file.path, field: listed.name, expected: "the tensor", got: "none of that name")
            }
            let isSame = tensor.type.name == listed.type && tensor.shape == listed.shape
            guard isSame, tensor.fileIndex != fileIndex || tensor.offset == listed.offset else {
                throw ShardingError(
                    .mismatch, place: file.path, field: listed.name,
                    expected: "\(listed.type) \(listed.shape) at byte \(listed.offset)",
                    got: "\(tensor.type.name) \(tensor.shape) at byte \(tensor.offset)",
                    hint: "is this the file that the manifest names?")
            }
        }
    }
}
