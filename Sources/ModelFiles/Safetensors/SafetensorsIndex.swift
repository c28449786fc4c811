import Tensors

/// What the head of one safetensors file says, checked against the file.
///
/// - SeeAlso: the format's description in the safetensors README; ranges must cover the data without gap or overlap.
struct SafetensorsIndex {
    static let headerBytesMax = 100_000_000
    static let tensorsMax = 262_144
    static let dimensionsMax = 8

    /// In the order of their data.
    private(set) var tensors: [TensorInfo] = []
    /// `__metadata__`.
    private(set) var metadata: [String: String] = [:]

    private let file: MappedFile
    private let fileIndex: Int
    private let dataStart: Int

    init(_ file: MappedFile, fileIndex: Int) throws(ModelFileError) {
        self.file = file
        self.fileIndex = fileIndex
        var prefix = ByteReader(file.bytes, file: file.name)
        let length = try prefix.integer(UInt64.self, "header length")
        let lengthMax = min(Self.headerBytesMax, prefix.remaining)
        guard length >= 2, length <= UInt64(lengthMax) else {
            throw ModelFileError(
                length <= UInt64(Self.headerBytesMax) ? .truncated : .limit, file: file.name, field: "header length",
                offset: 0, expected: "2 to \(lengthMax) bytes", got: "\(length)", hint: "was the download finished?")
        }
        let header = try prefix.take(Int(length), "header")
        guard file.bytes[header.lowerBound] == UInt8(ascii: "{") else {
            throw ModelFileError(
                .malformed, file: file.name, field: "header", offset: 8, expected: "`{` as its first byte",
                got: "byte \(file.bytes[header.lowerBound])")
        }
        dataStart = header.upperBound
        var reader = JSONReader(UnsafeRawBufferPointer(rebasing: file.bytes[header]), file: file.name)
        try readHeader(&reader)
        try checkRanges()
    }

    private func error(
        _ code: ModelFileError.Code, _ field: String, _ expected: String, got: String, hint: String? = nil
    ) -> ModelFileError {
        ModelFileError(code, file: file.name, field: field, expected: expected, got: got, hint: hint)
    }

    private mutating func readHeader(_ reader: inout JSONReader) throws(ModelFileError) {
        var names: Set<String> = []
        var isFirst = true
        try reader.beginObject()
        while let name = try reader.nextKey(&isFirst) {
            guard names.insert(name).inserted else { throw error(.duplicate, name, "each key once", got: "it again") }
            guard names.count <= Self.tensorsMax else {
                throw error(.limit, "header", "at most \(Self.tensorsMax) tensors", got: "more")
            }
            if name == "__metadata__" {
                try readMetadata(&reader)
            } else {
                tensors.append(try tensor(name, &reader))
            }
        }
        try reader.end()
    }

    private mutating func readMetadata(_ reader: inout JSONReader) throws(ModelFileError) {
        var isFirst = true
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirst) {
            guard metadata.updateValue(try reader.string(), forKey: key) == nil else {
                throw error(.duplicate, "__metadata__.\(key)", "each key once", got: "it again")
            }
        }
    }

    private func tensor(_ name: String, _ reader: inout JSONReader) throws(ModelFileError) -> TensorInfo {
        var type: ElementType?
        var shape: [Int]?
        var range: [Int]?
        var isFirst = true
        try reader.beginObject()
        while let key = try reader.nextKey(&isFirst) {
            switch key {
            case "dtype" where type == nil: type = try elementType(name, try reader.string())
            case "shape" where shape == nil: shape = try integers(name, "shape", Self.dimensionsMax, &reader)
            case "data_offsets" where range == nil: range = try integers(name, "data_offsets", 2, &reader)
            default: throw error(.malformed, name, "dtype, shape and data_offsets, each once", got: "\"\(key)\"")
            }
        }
        guard let type, let shape, let range, range.count == 2 else {
            throw error(.missing, name, "dtype, shape and two data_offsets", got: "fewer")
        }
        guard let (_, bytes) = TensorInfo.measure(shape, type) else {
            throw error(.malformed, name, "a size below 2^63 bytes", got: "shape \(shape)")
        }
        let dataCount = file.byteCount - dataStart
        guard range[0] <= range[1], range[1] <= dataCount else {
            throw error(
                .truncated, name, "offsets within the \(dataCount) bytes of data", got: "\(range)",
                hint: "was the download finished?")
        }
        guard range[1] - range[0] == bytes else {
            throw error(
                .mismatch, name, "\(bytes) bytes for shape \(shape) of \(type.name)", got: "\(range[1] - range[0])")
        }
        return TensorInfo(
            name: name, type: type, shape: shape, fileIndex: fileIndex, offset: dataStart + range[0], byteCount: bytes)
    }

    /// Numbers of at least 0.
    private func integers(_ name: String, _ key: String, _ maximum: Int, _ reader: inout JSONReader)
        throws(ModelFileError) -> [Int]
    {
        var integers: [Int] = []
        var isFirst = true
        try reader.beginArray()
        while try reader.hasElement(&isFirst) {
            let value = try reader.number()
            guard case .integer(let integer) = value, integer >= 0, integers.count < maximum else {
                throw error(
                    .malformed, "\(name).\(key)", "at most \(maximum) integers from 0 to \(Int.max)", got: value.summary
                )
            }
            integers.append(integer)
        }
        return integers
    }

    /// Names that the format gives to element types.
    static let types: [(name: String, type: ElementType)] = [
        ("F64", .f64), ("F32", .f32), ("F16", .f16), ("BF16", .bf16), ("I64", .i64), ("I32", .i32), ("I16", .i16),
        ("I8", .i8),
    ]

    private func elementType(_ name: String, _ text: String) throws(ModelFileError) -> ElementType {
        guard let known = Self.types.first(where: { $0.name == text }) else {
            let names = Self.types.map(\.name).joined(separator: ", ")
            throw error(.unsupported, name, "a dtype among \(names)", got: text)
        }
        return known.type
    }

    private mutating func checkRanges() throws(ModelFileError) {
        tensors.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
        var end = dataStart
        for tensor in tensors {
            guard tensor.offset == end else {
                throw error(
                    .mismatch, tensor.name, "data at offset \(end - dataStart), where the tensor before ends",
                    got: "\(tensor.offset - dataStart)")
            }
            end = tensor.offset + tensor.byteCount
        }
        guard end == file.byteCount else {
            throw error(
                .mismatch, "data", "the last tensor to end with the file at \(file.byteCount)", got: "\(end)")
        }
    }
}
