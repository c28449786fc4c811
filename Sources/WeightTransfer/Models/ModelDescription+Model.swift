import ModelFiles
import Sharding

extension ModelDescription {
    /// Describes a model whose files are here.
    ///
    /// - Parameter hashes: of all its tensors, by their names.
    package init(of model: ModelFile, hashes: [String: FileHash]) throws(WeightTransferError) {
        var tensors: [Tensor] = []
        var contentBytes = 0
        for tensor in model.tensors {
            guard let hash = hashes[tensor.name] else {
                throw WeightTransferError(
                    .model, place: model.name, field: tensor.name, expected: "its hash", got: "none")
            }
            var described = Tensor(name: tensor.name, type: tensor.type, shape: tensor.shape, sha256: hash)
            if tensor.byteCount <= Self.contentBytesMax, contentBytes + tensor.byteCount <= Self.contentBytesInAllMax {
                described.content = Array(model.bytes(of: tensor))
                contentBytes += tensor.byteCount
            }
            tensors.append(described)
        }
        do {
            self.init(
                format: model.format, name: model.name,
                metadata: model.format == .gguf ? try Self.metadata(of: model) : [],
                config: try model.folder?.file("config.json").map { Array($0.bytes) },
                generationConfig: try model.folder?.file("generation_config.json").map { Array($0.bytes) },
                tensors: tensors)
        } catch {
            throw WeightTransferError(.model, error)
        }
    }

    /// A head without tensors. Tokens and merges are the coordinator's business, and most of the bytes.
    private static func metadata(of model: ModelFile) throws(ModelFileError) -> [UInt8] {
        let entries = model.metadata.entries.filter { entry in
            guard entry.key.hasPrefix("tokenizer.") else { return true }
            if case .array = entry.value { return false }
            return entry.key != "tokenizer.chat_template"
        }
        return try FileHead.gguf(metadata: entries, additional: [], tensors: [], file: model.name).bytes
    }

    /// The model as something that can be opened: every tensor is listed, those that came with it have their bytes.
    package func assembled() throws(WeightTransferError) -> ModelFile {
        var files: [String: [UInt8]] = [:]
        files["config.json"] = config
        files["generation_config.json"] = generationConfig
        do {
            return try ModelFile.assemble(
                name: name, format: format,
                metadata: format == .gguf ? MappedFile(bytes: metadata, name: name) : nil,
                folder: format == .safetensors ? HuggingFaceFolder(name: name, files: files) : nil,
                pieces: tensors.map { tensor in
                    ModelFile.Piece(
                        name: tensor.name, type: tensor.type, shape: tensor.shape,
                        file: tensor.content.map { MappedFile(bytes: $0, name: tensor.name) })
                })
        } catch {
            throw WeightTransferError(.model, error)
        }
    }
}
