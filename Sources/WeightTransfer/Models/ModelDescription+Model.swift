import ModelFiles
import Sharding

extension ModelDescription {
    /// Describes a model to those who do not have its files.
    ///
    /// The tokenizer is left out, but for its single numbers: who runs layers needs none.
    /// - Parameter hashes: Of every tensor, by name.
    package init(of model: ModelFile, hashes: [String: FileHash]) throws(WeightTransferError) {
        var contentBytes = 0
        var tensors: [Tensor] = []
        for tensor in model.tensors {
            guard let hash = hashes[tensor.name] else {
                throw WeightTransferError(
                    .model, place: model.name, field: tensor.name.onOneLine, expected: "its SHA-256", got: "none")
            }
            let isSmall = tensor.byteCount <= Self.contentBytesMax
            let isTaken = isSmall && contentBytes + tensor.byteCount <= Self.contentBytesInAllMax && model.holds(tensor)
            if isTaken { contentBytes += tensor.byteCount }
            tensors.append(
                Tensor(
                    name: tensor.name, type: tensor.type, shape: tensor.shape, sha256: hash,
                    content: isTaken ? Array(model.bytes(of: tensor)) : nil))
        }
        self.init(format: model.format, name: model.name, tensors: tensors)
        do throws(ModelFileError) {
            if model.format == .gguf { metadata = try Self.metadata(of: model) }
            config = try model.folder?.file("config.json").map { Array($0.bytes) }
            generationConfig = try model.folder?.file("generation_config.json").map { Array($0.bytes) }
        } catch {
            throw WeightTransferError(.model, error)
        }
    }

    private static func metadata(of model: ModelFile) throws(ModelFileError) -> [UInt8] {
        let kept = model.metadata.entries.filter { entry in
            guard entry.key.hasPrefix("tokenizer.") else { return true }
            return entry.value.numberValue != nil || entry.value.boolValue != nil
        }
        return try FileHead.gguf(metadata: kept, additional: [], tensors: [], file: model.name).bytes
    }

    /// The bytes that travel, with the hash that names them.
    package func blob() throws(WeightTransferError) -> (hash: FileHash, bytes: [UInt8]) {
        let bytes: [UInt8]
        do { bytes = try encoded() } catch { throw WeightTransferError(.model, error) }
        return (bytes.withUnsafeBytes { FileHash(of: $0) }, bytes)
    }

    /// What has to be fetched for tensors of these names, in their order: those that do not travel with the
    /// description.
    package func wanted(_ names: some Sequence<String>) -> [WantedBlob] {
        let places = Dictionary(tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return names.compactMap { name in
            guard let tensor = places[name], tensor.content == nil, tensor.byteCount > 0 else { return nil }
            return WantedBlob(hash: tensor.sha256, byteCount: tensor.byteCount, name: name)
        }
    }
}
