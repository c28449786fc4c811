import Tensors

/// What the head of one GGUF file says, checked against the file.
///
/// - SeeAlso: ggml `docs/gguf.md`; the checks of `gguf_init_from_reader` are the least that is done here.
struct GGUFIndex {
    static let keysMax = 65_536
    static let tensorsMax = 262_144
    static let keyBytesMax = 65_535
    /// As in ggml, whose names have room for 63 bytes and a zero.
    static let nameBytesMax = 63
    static let dimensionsMax = 4

    private(set) var version: UInt32 = 0
    private(set) var metadata: GGUFMetadata
    private(set) var tensors: [TensorInfo] = []

    private let file: MappedFile
    private let fileIndex: Int
    private var reader: ByteReader

    init(_ file: MappedFile, fileIndex: Int) throws(ModelFileError) {
        self.file = file
        self.fileIndex = fileIndex
        metadata = GGUFMetadata(file: file.name)
        reader = ByteReader(file.bytes, file: file.name)
        try readVersion()
        let tensorCount = try count("tensor count", bytesEach: 33, atMost: Self.tensorsMax)
        // A key of at least one byte, its length, its type, and one byte of value.
        let keyCount = try count("metadata count", bytesEach: 14, atMost: Self.keysMax)
        for _ in 0..<keyCount { try readKey() }
        try readTensors(tensorCount)
    }

    private func error(
        _ code: ModelFileError.Code, _ field: String, _ expected: String, got: String, offset: Int? = nil,
        hint: String? = nil
    ) -> ModelFileError {
        ModelFileError(
            code, file: file.name, field: field, offset: offset ?? reader.position, expected: expected, got: got,
            hint: hint)
    }

    private mutating func readVersion() throws(ModelFileError) {
        let magic = try reader.integer(UInt32.self, "magic")
        let number = try reader.integer(UInt32.self, "version")
        let isSwapped = magic == 0x4755_4746 || (number & 0xFFFF == 0 && number != 0)
        guard magic == 0x4655_4747 || magic == 0x4755_4746 else {
            throw error(.unsupported, "magic", "`GGUF`", got: "0x\(String(magic, radix: 16))", offset: 0)
        }
        guard !isSwapped else {
            throw error(
                .unsupported, "version", "a little-endian GGUF file", got: "a big-endian one", offset: 4,
                hint: "convert the model again for little-endian machines")
        }
        guard number == 2 || number == 3 else {
            throw error(
                .unsupported, "version", "2 or 3", got: "\(number)", offset: 4,
                hint: "convert the model again with current tools")
        }
        version = number
    }

    /// A count, refused when the rest of the file could not hold that many.
    private mutating func count(_ field: String, bytesEach: Int, atMost maximum: Int) throws(ModelFileError) -> Int {
        let offset = reader.position
        let number = try reader.integer(UInt64.self, field)
        let room = min(maximum, reader.remaining / bytesEach)
        guard number <= UInt64(room) else {
            throw error(.limit, field, "at most \(room) for a file of this size", got: "\(number)", offset: offset)
        }
        return Int(number)
    }

    /// Key or tensor name: UTF-8, not empty.
    private mutating func name(_ field: String, atMost maximum: Int) throws(ModelFileError) -> String {
        let offset = reader.position
        let range = try reader.string(field)
        guard (1...maximum).contains(range.count) else {
            throw error(.limit, field, "1 to \(maximum) bytes", got: "\(range.count)", offset: offset)
        }
        let utf8 = UnsafeRawBufferPointer(rebasing: file.bytes[range]).bindMemory(to: UInt8.self)
        guard let text = String(validating: utf8, as: UTF8.self), !utf8.contains(0) else {
            throw error(.malformed, field, "UTF-8 text", got: "other bytes", offset: offset)
        }
        return text
    }

    private mutating func type(_ field: String) throws(ModelFileError) -> MetadataType {
        let offset = reader.position
        let number = try reader.integer(UInt32.self, field)
        guard let type = MetadataType(rawValue: number) else {
            let known = MetadataType.allCases.map { "\($0.rawValue) \($0)" }.joined(separator: ", ")
            throw error(
                .unsupported, field, "a metadata type", got: "\(number)", offset: offset, hint: "known are \(known)")
        }
        return type
    }

    private mutating func readKey() throws(ModelFileError) {
        let offset = reader.position
        let key = try name("metadata key", atMost: Self.keyBytesMax)
        guard metadata[key] == nil else {
            throw error(.duplicate, key, "each key once", got: "it again", offset: offset)
        }
        let value = try value(of: try type(key), key)
        _ = metadata.add(key, value)
    }

    private mutating func value(of type: MetadataType, _ key: String) throws(ModelFileError) -> MetadataValue {
        switch type {
        case .uint8: .uint8(try reader.integer(UInt8.self, key))
        case .int8: .int8(try reader.integer(Int8.self, key))
        case .uint16: .uint16(try reader.integer(UInt16.self, key))
        case .int16: .int16(try reader.integer(Int16.self, key))
        case .uint32: .uint32(try reader.integer(UInt32.self, key))
        case .int32: .int32(try reader.integer(Int32.self, key))
        case .float32: .float32(Float(bitPattern: try reader.integer(UInt32.self, key)))
        case .bool: .bool(try bool(key))
        case .string: .string(String(decoding: file.bytes[try reader.string(key)], as: UTF8.self))
        case .array: .array(try array(key))
        case .uint64: .uint64(try reader.integer(UInt64.self, key))
        case .int64: .int64(try reader.integer(Int64.self, key))
        case .float64: .float64(Double(bitPattern: try reader.integer(UInt64.self, key)))
        }
    }

    private mutating func bool(_ key: String) throws(ModelFileError) -> Bool {
        let byte = try reader.integer(UInt8.self, key)
        guard byte <= 1 else {
            throw error(.malformed, key, "a truth value, 0 or 1", got: "\(byte)", offset: reader.position - 1)
        }
        return byte == 1
    }

    private mutating func array(_ key: String) throws(ModelFileError) -> MetadataArray {
        let offset = reader.position
        let elementType = try type(key)
        guard elementType != .array else {
            throw error(.unsupported, key, "an array of plain values", got: "an array of arrays", offset: offset)
        }
        let count = try count(key, bytesEach: elementType.byteCount ?? 8, atMost: Int(Int32.max))
        let start = reader.position
        switch elementType {
        case .string: for _ in 0..<count { _ = try reader.string(key) }
        case .bool: for _ in 0..<count { _ = try bool(key) }
        // The count was just found to fit into the rest of the file.
        default: _ = try reader.take(count * (elementType.byteCount ?? 0), key)
        }
        return MetadataArray(elementType: elementType, count: count, file: file, range: start..<reader.position)
    }

    private mutating func readTensors(_ tensorCount: Int) throws(ModelFileError) {
        let alignment = try alignment()
        var infos: [(name: String, type: ElementType, shape: [Int], bytes: Int, offset: UInt64, place: Int)] = []
        var names: Set<String> = []
        for _ in 0..<tensorCount {
            let place = reader.position
            let name = try name("tensor name", atMost: Self.nameBytesMax)
            guard names.insert(name).inserted else {
                throw error(.duplicate, name, "each tensor once", got: "it again", offset: place)
            }
            let shape = try shape(name)
            let type = try elementType(name)
            guard let (_, bytes) = TensorInfo.measure(shape, type) else {
                throw error(
                    .malformed, name, "rows of whole blocks (\(type.blockElementCount) elements of \(type.name))",
                    got: "shape \(shape)", offset: place)
            }
            infos.append((name, type, shape, bytes, try reader.integer(UInt64.self, name), place))
        }
        guard tensorCount > 0 else { return }

        // Tensors follow each other without gap or overlap, each padded to the alignment.
        guard let dataStart = aligned(reader.position, alignment) else {
            throw error(.truncated, "tensor data", "a start inside the file", got: "an overflow")
        }
        var next = 0
        for info in infos {
            guard info.offset == UInt64(next) else {
                throw error(
                    .mismatch, info.name, "offset \(next), where the tensor before ends", got: "\(info.offset)",
                    offset: info.place)
            }
            let (start, startOverflows) = dataStart.addingReportingOverflow(next)
            let (end, endOverflows) = start.addingReportingOverflow(info.bytes)
            guard !startOverflows, !endOverflows, end <= file.byteCount,
                let following = aligned(next + info.bytes, alignment)
            else {
                throw error(
                    .truncated, info.name, "\(info.bytes) bytes of data before the end at \(file.byteCount)",
                    got: "a start at \(startOverflows ? Int.max : start)", offset: info.place,
                    hint: "was the download finished?")
            }
            tensors.append(
                TensorInfo(
                    name: info.name, type: info.type, shape: info.shape, fileIndex: fileIndex, offset: start,
                    byteCount: info.bytes))
            next = following
        }
    }

    private func alignment() throws(ModelFileError) -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        guard case .uint32(let number) = value, number > 0, number & (number - 1) == 0 else {
            throw error(.malformed, "general.alignment", "a power of two, as uint32", got: value.summary)
        }
        return Int(number)
    }

    private func aligned(_ position: Int, _ alignment: Int) -> Int? {
        let (sum, isOverflow) = position.addingReportingOverflow(alignment - 1)
        return isOverflow ? nil : sum & ~(alignment - 1)
    }

    private mutating func shape(_ name: String) throws(ModelFileError) -> [Int] {
        let offset = reader.position
        let dimensionCount = try reader.integer(UInt32.self, name)
        guard (1...UInt32(Self.dimensionsMax)).contains(dimensionCount) else {
            throw error(
                .limit, name, "1 to \(Self.dimensionsMax) dimensions", got: "\(dimensionCount)", offset: offset)
        }
        var shape: [Int] = []
        for _ in 0..<dimensionCount {
            let size = try reader.integer(UInt64.self, name)
            guard size > 0, let size = Int(exactly: size) else {
                throw error(.malformed, name, "dimensions from 1 to \(Int.max)", got: "\(size)", offset: offset)
            }
            shape.insert(size, at: 0)
        }
        return shape
    }

    private mutating func elementType(_ name: String) throws(ModelFileError) -> ElementType {
        let offset = reader.position
        let number = try reader.integer(UInt32.self, name)
        guard let type = ElementType(rawValue: number) else {
            throw error(
                .unsupported, name, "an element type", got: "\(number)", offset: offset,
                hint: "known are \(TensorInfo.knownTypes)")
        }
        return type
    }
}
