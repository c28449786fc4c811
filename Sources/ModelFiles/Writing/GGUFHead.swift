import Tensors

extension FileHead {
    /// Makes the head of a GGUF file, version 3.
    ///
    /// - Parameters:
    ///   - metadata: Kept key by key, arrays as the bytes that they were; `general.alignment` among it is obeyed.
    ///   - additional: Keys that follow; none of them may be among `metadata`.
    ///   - tensors: In the order that their data will have; their places are ignored.
    ///   - file: For errors.
    /// - SeeAlso: ggml `docs/gguf.md`.
    package static func gguf(
        metadata: [GGUFMetadata.Entry], additional: [(key: String, value: MetadataValue)], tensors: [TensorInfo],
        file: String
    ) throws(ModelFileError) -> FileHead {
        let alignment = metadata.first { $0.key == "general.alignment" }?.value.integerValue ?? 32
        guard alignment > 0, alignment & (alignment - 1) == 0 else {
            throw ModelFileError(
                .malformed, file: file, field: "general.alignment", expected: "a power of two", got: "\(alignment)")
        }
        var bytes = Array("GGUF".utf8)
        bytes.append(littleEndian: UInt32(3))
        bytes.append(littleEndian: UInt64(tensors.count))
        bytes.append(littleEndian: UInt64(metadata.count + additional.count))
        for entry in metadata { bytes.append(key: entry.key, value: entry.value) }
        for entry in additional { bytes.append(key: entry.key, value: entry.value) }

        let (relative, end) = try place(tensors, from: 0, alignment: alignment, file: file)
        for tensor in relative {
            bytes.append(string: tensor.name)
            bytes.append(littleEndian: UInt32(tensor.shape.count))
            for size in tensor.shape.reversed() { bytes.append(littleEndian: UInt64(size)) }
            bytes.append(littleEndian: tensor.type.rawValue)
            bytes.append(littleEndian: UInt64(tensor.offset))
        }
        let start = (bytes.count + alignment - 1) / alignment * alignment
        bytes.append(contentsOf: repeatElement(0, count: start - bytes.count))
        let (placed, fileEnd) = try place(tensors, from: start, alignment: alignment, file: file)
        precondition(fileEnd == start + end, "places in the file follow from places in the data")
        return FileHead(bytes: bytes, tensors: placed, fileByteCount: fileEnd)
    }
}

extension [UInt8] {
    fileprivate mutating func append(string: String) {
        append(littleEndian: UInt64(string.utf8.count))
        append(contentsOf: string.utf8)
    }

    fileprivate mutating func append(key: String, value: MetadataValue) {
        append(string: key)
        append(littleEndian: value.type.rawValue)
        switch value {
        case .uint8(let value): append(value)
        case .int8(let value): append(UInt8(bitPattern: value))
        case .uint16(let value): append(littleEndian: value)
        case .int16(let value): append(littleEndian: value)
        case .uint32(let value): append(littleEndian: value)
        case .int32(let value): append(littleEndian: value)
        case .float32(let value): append(littleEndian: value.bitPattern)
        case .bool(let value): append(value ? 1 : 0)
        case .string(let value): append(string: value)
        case .array(let array):
            append(littleEndian: array.elementType.rawValue)
            append(littleEndian: UInt64(array.count))
            array.withEncodedBytes { append(contentsOf: $0) }
        case .uint64(let value): append(littleEndian: value)
        case .int64(let value): append(littleEndian: value)
        case .float64(let value): append(littleEndian: value.bitPattern)
        }
    }
}
