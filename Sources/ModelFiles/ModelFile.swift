import Tensors

/// The files of one model, mapped and checked, as one index of tensors.
///
/// Everything that it hands out lies inside its files: lengths, offsets and products were checked when it was opened.
/// Pointers and views that it hands out are borrowed: keep the object for as long as they are used.
package final class ModelFile: Sendable {
    package enum Format: String, Sendable, Hashable {
        case gguf
        case safetensors
    }

    /// The path that was asked for.
    package let path: String
    package let format: Format
    package let files: [MappedFile]
    /// In the order of the files and of the data inside them. A tensor that several shards carry is listed once.
    package let tensors: [TensorInfo]
    /// GGUF metadata of the first file; empty for safetensors.
    package let metadata: GGUFMetadata
    /// `__metadata__` of the first safetensors file.
    package let safetensorsMetadata: [String: String]
    /// Configuration and tokenizer beside safetensors files, where there are any.
    package let folder: HuggingFaceFolder?
    /// `config.json`, parsed; nil when there is none.
    package let config: JSONValue?
    /// `generation_config.json`, parsed; nil when there is none.
    package let generationConfig: JSONValue?

    private let places: [String: Int]

    init(
        path: String, format: Format, files: [MappedFile], tensors: [TensorInfo], metadata: GGUFMetadata? = nil,
        safetensorsMetadata: [String: String] = [:], folder: HuggingFaceFolder? = nil
    ) throws(ModelFileError) {
        self.path = path
        self.format = format
        self.files = files
        self.tensors = tensors
        self.metadata = metadata ?? GGUFMetadata(file: path.lastPathComponent)
        self.safetensorsMetadata = safetensorsMetadata
        self.folder = folder
        config = try folder?.json("config.json")
        generationConfig = try folder?.json("generation_config.json")
        places = Dictionary(tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Name of the file or folder, for errors and listings.
    package var name: String { path.lastPathComponent }

    /// Bytes of all files.
    package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }

    package func tensor(_ name: String) -> TensorInfo? { places[name].map { tensors[$0] } }

    package func contains(_ name: String) -> Bool { places[name] != nil }

    /// Whether the bytes of a listed tensor are here: of an assembled model, some may be elsewhere.
    package func holds(_ tensor: TensorInfo) -> Bool {
        files.indices.contains(tensor.fileIndex) && tensor.range.upperBound <= files[tensor.fileIndex].byteCount
    }

    /// The bytes of a tensor of this file, borrowed from the mapping; none where it does not hold them.
    package func bytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
        guard holds(tensor) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: files[tensor.fileIndex].bytes[tensor.range])
    }

    /// A tensor as rows, borrowed from the mapping.
    package func view(_ name: String) throws(ModelFileError) -> TensorView {
        guard let tensor = tensor(name) else {
            throw ModelFileError(
                .missing, file: self.name, field: name, expected: "the tensor", got: "no tensor of that name")
        }
        guard holds(tensor) else {
            throw ModelFileError(
                .missing, file: self.name, field: name, expected: "its \(tensor.byteCount) bytes",
                got: "a description alone", hint: "they were not fetched")
        }
        return TensorView(
            type: tensor.type, rowCount: tensor.rowCount, columnCount: tensor.columnCount, bytes: bytes(of: tensor))
    }

    /// Tells the kernel what comes for the bytes of a tensor.
    package func advise(_ advice: MappedFile.Advice, _ tensor: TensorInfo) {
        files[tensor.fileIndex].advise(advice, tensor.range)
    }

    /// The same for some of them, counted from the first.
    package func advise(_ advice: MappedFile.Advice, _ bytes: Range<Int>, of tensor: TensorInfo) {
        let start = tensor.range.lowerBound
        let range = (start + bytes.lowerBound..<start + bytes.upperBound).clamped(to: tensor.range)
        files[tensor.fileIndex].advise(advice, range)
    }

    /// Gives up the mapping of all tensors, which nobody may look at any more: they are read from the files instead.
    /// Metadata stay.
    package func giveUpTensors() throws(ModelFileError) {
        for (index, file) in files.enumerated() {
            let first = tensors.filter { $0.fileIndex == index && $0.byteCount > 0 }.map(\.offset).min()
            try file.keepOnly(first ?? file.byteCount)
        }
    }

    /// Chat templates by name, the default one first where there is one; from GGUF metadata or the files of the folder.
    package func chatTemplates() throws(ModelFileError) -> [ChatTemplateSource] {
        if let folder { return try folder.chatTemplates() }
        var templates: [ChatTemplateSource] = []
        let key = "tokenizer.chat_template"
        if let source = try metadata.string(key) {
            templates.append(ChatTemplateSource(name: ChatTemplateSource.defaultName, source: source))
        }
        for entry in metadata.entries where entry.key.hasPrefix(key + ".") {
            guard let source = try metadata.string(entry.key) else { continue }
            templates.append(ChatTemplateSource(name: String(entry.key.dropFirst(key.count + 1)), source: source))
        }
        return templates
    }
}
