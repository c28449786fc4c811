import Foundation
import ModelFiles
import SwiftProtobuf
import Tensors

extension ModelDescription {
    private static let lengthBytes = 4

    /// The bytes that travel, and whose hash names them.
    ///
    /// - Throws: ``WireError`` when the model has more or longer parts than a reader takes.
    package func encoded() throws(WireError) -> [UInt8] {
        var bytes: [UInt8] = []
        try Self.append(WireModelDescriptionHead(self), to: &bytes)
        for tensor in tensors { try Self.append(WireModelDescriptionTensor(tensor), to: &bytes) }
        guard bytes.count <= WireLimits.descriptionBytesMax else {
            throw WireError(
                .length, message: Self.message, field: "bytes", expected: "at most \(WireLimits.descriptionBytesMax)",
                got: "\(bytes.count)")
        }
        return bytes
    }

    /// Reads what ``encoded()`` made; nothing in it is trusted before.
    ///
    /// Whether the metadata and configuration make sense shows when a model is made of them.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard bytes.count <= WireLimits.descriptionBytesMax else {
            throw WireError(
                .length, message: Self.message, field: "bytes", expected: "at most \(WireLimits.descriptionBytesMax)",
                got: "\(bytes.count)")
        }
        let read = FieldReader(named: Self.message)
        var position = 0
        let head = try Self.next(WireModelDescriptionHead.self, bytes, &position)
        self = try head.value(read)
        let count = try read.integer(head.tensorCount, "tensor_count", in: 0...Self.tensorsMax)
        var names: Set<ExactString> = []
        for _ in 0..<count {
            let tensor = try Self.next(WireModelDescriptionTensor.self, bytes, &position).value(read)
            guard names.insert(ExactString(tensor.name)).inserted else {
                throw read.wrong("tensors.name", expected: "each name once", got: tensor.name.debugDescription)
            }
            tensors.append(tensor)
        }
        guard position == bytes.count else {
            throw WireError(
                .length, message: Self.message, field: "bytes", expected: "\(position), as \(count) tensors have",
                got: "\(bytes.count)")
        }
    }

    private static let message = "model description"

    private static func append(_ record: some SwiftProtobuf.Message, to bytes: inout [UInt8]) throws(WireError) {
        let encoded: [UInt8]
        do {
            encoded = try record.serializedBytes()
        } catch {
            throw WireError(
                .field, message: message, field: "record", expected: "a message that can be written", got: "\(error)")
        }
        withUnsafeBytes(of: UInt32(clamping: encoded.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: encoded)
    }

    /// Decodes one record: what it holds is bounded by its own length, and records are counted as they come.
    private static func next<Record: SwiftProtobuf.Message>(
        _: Record.Type, _ bytes: UnsafeRawBufferPointer, _ position: inout Int
    ) throws(WireError) -> Record {
        let rest = bytes.count - position
        guard rest >= lengthBytes else {
            throw WireError(
                .length, message: message, field: "record", expected: "\(lengthBytes) bytes of length", got: "\(rest)")
        }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        guard length <= rest - lengthBytes else {
            throw WireError(
                .length, message: message, field: "record", expected: "at most \(rest - lengthBytes) bytes",
                got: "\(length)")
        }
        let start = position + lengthBytes
        position = start + length
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        do {
            return try Record(
                serializedBytes: UnsafeRawBufferPointer(rebasing: bytes[start..<position]).bytes, options: options)
        } catch {
            throw WireError(
                .field, message: message, field: "record", expected: "a Protocol Buffers message",
                got: "\(length) bytes that are none")
        }
    }
}

extension WireModelDescriptionHead {
    init(_ description: ModelDescription) {
        self.init()
        version = UInt32(ModelDescription.version)
        format = description.format == .gguf ? .gguf : .safetensors
        name = description.name.cut(max: 255)
        metadata = Data(description.metadata)
        if let bytes = description.config { config = Data(bytes) }
        if let bytes = description.generationConfig { generationConfig = Data(bytes) }
        tensorCount = UInt32(clamping: description.tensors.count)
    }

    /// Without the tensors.
    func value(_ read: FieldReader) throws(WireError) -> ModelDescription {
        _ = try read.integer(version, "version", in: ModelDescription.version...ModelDescription.version)
        let format: ModelFile.Format
        switch self.format {
        case .gguf: format = .gguf
        case .safetensors: format = .safetensors
        case .unspecified, .UNRECOGNIZED:
            throw read.wrong("format", expected: "gguf or safetensors", got: self.format.rawValue)
        }
        guard metadata.isEmpty == (format == .safetensors) else {
            throw read.wrong(
                "metadata", expected: "some for gguf, none for safetensors", got: "\(metadata.count) bytes")
        }
        return ModelDescription(
            format: format, name: try read.bareName(name, "name"), metadata: Array(metadata),
            config: hasConfig ? try configuration(config, "config", read) : nil,
            generationConfig: hasGenerationConfig
                ? try configuration(generationConfig, "generation_config", read) : nil,
            tensors: [])
    }

    private func configuration(_ bytes: Data, _ field: String, _ read: FieldReader) throws(WireError) -> [UInt8] {
        guard format == .safetensors, bytes.count <= HuggingFaceFolder.configBytesMax else {
            throw read.wrong(
                field, expected: "at most \(HuggingFaceFolder.configBytesMax) bytes, for safetensors only",
                got: "\(bytes.count)")
        }
        return Array(bytes)
    }
}

extension WireModelDescriptionTensor {
    init(_ tensor: ModelDescription.Tensor) {
        self.init()
        name = tensor.name
        type = tensor.type.rawValue
        shape = tensor.shape.map { UInt64(clamping: $0) }
        sha256 = Data(tensor.sha256.bytes)
        if let bytes = tensor.content { content = Data(bytes) }
    }

    func value(_ read: FieldReader) throws(WireError) -> ModelDescription.Tensor {
        let name = try read.text(name, "tensors.name", max: ModelDescription.tensorNameBytesMax)
        guard !name.isEmpty else { throw read.wrong("tensors.name", expected: "a name", got: "none") }
        guard let type = ElementType(rawValue: self.type) else {
            throw read.wrong("tensors.type", expected: "a known element type", got: self.type)
        }
        try read.count(self.shape.count, "tensors.shape", max: ModelDescription.dimensionsMax)
        var shape: [Int] = []
        for size in self.shape { shape.append(try read.integer(size, "tensors.shape", in: 0...WireLimits.amountMax)) }
        guard let (_, byteCount) = TensorInfo.measure(shape, type), byteCount <= WireLimits.amountMax else {
            throw read.wrong(
                "tensors.shape", expected: "rows of whole blocks, at most \(WireLimits.amountMax) bytes", got: shape)
        }
        let hash = try read.hash(sha256, "tensors.sha256")
        return ModelDescription.Tensor(
            name: name, type: type, shape: shape, sha256: hash,
            content: hasContent ? try checkedContent(byteCount: byteCount, hash, read) : nil)
    }

    private func checkedContent(
        byteCount: Int, _ hash: FileHash, _ read: FieldReader
    ) throws(WireError) -> [UInt8] {
        guard content.count == byteCount, byteCount <= ModelDescription.contentBytesMax else {
            throw read.wrong(
                "tensors.content", expected: "\(byteCount) bytes, at most \(ModelDescription.contentBytesMax)",
                got: content.count)
        }
        let found = content.withUnsafeBytes { FileHash(of: $0) }
        guard found == hash else {
            throw read.wrong("tensors.content", expected: "SHA-256 \(hash)", got: found)
        }
        return Array(content)
    }
}
