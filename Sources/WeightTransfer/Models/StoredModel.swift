import ModelFiles
import Sharding

/// A model made of its description and those of its tensors that are in the store: for a loader, like its files.
///
/// ``model`` lists all tensors. One whose bytes are not here is an error for whoever asks for them; before anything was
/// fetched it is good for `ModelSpec(describing:)` and `ModelParts`, which say what has to be.
package final class StoredModel: Sendable {
    package let description: ModelDescription
    package let model: ModelFile
    // In use as long as the model is.
    private let entries: [StoreEntry]

    /// - Parameter entries: Those that were fetched, by hash.
    package init(_ description: ModelDescription, entries: [FileHash: StoreEntry] = [:]) throws(WeightTransferError) {
        self.description = description
        self.entries = Array(entries.values)
        let pieces = description.tensors.map { tensor in
            let name = tensor.name
            // A tensor of no bytes is here whatever was fetched.
            let content = tensor.content ?? (tensor.byteCount == 0 ? [] : nil)
            return ModelFile.Piece(
                name: name, type: tensor.type, shape: tensor.shape,
                file: content.map { MappedFile(bytes: $0, name: name) } ?? entries[tensor.sha256]?.file)
        }
        var files: [String: [UInt8]] = [:]
        files["config.json"] = description.config
        files["generation_config.json"] = description.generationConfig
        do {
            model = try ModelFile.assemble(
                name: description.name, format: description.format,
                metadata: description.format == .gguf
                    ? MappedFile(bytes: description.metadata, name: description.name) : nil,
                folder: description.format == .safetensors
                    ? HuggingFaceFolder(name: description.name, files: files) : nil, pieces: pieces)
        } catch {
            throw WeightTransferError(.model, error)
        }
    }

    /// Reads a description that was fetched.
    package convenience init(decoding entry: StoreEntry) throws(WeightTransferError) {
        let description: ModelDescription
        do {
            description = try ModelDescription(decoding: entry.file.bytes)
        } catch {
            throw WeightTransferError(.model, error)
        }
        try self.init(description)
    }

    /// The same model with these tensors.
    package func adding(_ entries: [FileHash: StoreEntry]) throws(WeightTransferError) -> StoredModel {
        try StoredModel(description, entries: entries)
    }

    /// What has to be fetched for tensors of this model, in their order.
    package func wanted(_ tensors: [TensorInfo]) -> [WantedBlob] { description.wanted(tensors.map(\.name)) }
}
