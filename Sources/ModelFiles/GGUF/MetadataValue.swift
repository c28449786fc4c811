/// A value of GGUF metadata, with the type that the file gives it.
package enum MetadataValue: Sendable {
    case uint8(UInt8)
    case int8(Int8)
    case uint16(UInt16)
    case int16(Int16)
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    case string(String)
    case array(MetadataArray)
    case uint64(UInt64)
    case int64(Int64)
    case float64(Double)

    package var type: MetadataType {
        switch self {
        case .uint8: .uint8
        case .int8: .int8
        case .uint16: .uint16
        case .int16: .int16
        case .uint32: .uint32
        case .int32: .int32
        case .float32: .float32
        case .bool: .bool
        case .string: .string
        case .array: .array
        case .uint64: .uint64
        case .int64: .int64
        case .float64: .float64
        }
    }

    /// Any of the integer types, when it fits.
    package var integerValue: Int? {
        switch self {
        case .uint8(let value): Int(value)
        case .int8(let value): Int(value)
        case .uint16(let value): Int(value)
        case .int16(let value): Int(value)
        case .uint32(let value): Int(value)
        case .int32(let value): Int(value)
        case .uint64(let value): Int(exactly: value)
        case .int64(let value): Int(value)
        default: nil
        }
    }

    /// Either of the floating-point types, or an integer.
    package var numberValue: Double? {
        switch self {
        case .float32(let value): Double(value)
        case .float64(let value): value
        default: integerValue.map(Double.init)
        }
    }

    package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    package var arrayValue: MetadataArray? { if case .array(let value) = self { value } else { nil } }

    /// A few words for errors.
    package var summary: String {
        switch self {
        case .bool(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .array(let array): "an array of \(array.count) \(array.elementType)"
        case .float32(let value): "\(value)"
        default: integerValue.map { "\($0)" } ?? numberValue.map { "\($0)" } ?? "\(self)"
        }
    }
}

/// The types of metadata, with the numbers that GGUF gives them.
package enum MetadataType: UInt32, CaseIterable, Sendable, Hashable {
    case uint8 = 0
    case int8 = 1
    case uint16 = 2
    case int16 = 3
    case uint32 = 4
    case int32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
    case uint64 = 10
    case int64 = 11
    case float64 = 12

    /// Bytes of one value; nil for strings and arrays.
    package var byteCount: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }
}

/// An array of metadata, left in the mapped file until someone asks for its elements.
package struct MetadataArray: Sendable {
    package let elementType: MetadataType
    package let count: Int
    private let file: MappedFile
    /// The elements as the file has them; every string in it was checked to lie inside.
    private let range: Range<Int>

    init(elementType: MetadataType, count: Int, file: MappedFile, range: Range<Int>) {
        self.elementType = elementType
        self.count = count
        self.file = file
        self.range = range
    }

    /// Hands out the encoded elements, for writing them into another file unchanged.
    package func withEncodedBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withExtendedLifetime(file) { body(UnsafeRawBufferPointer(rebasing: file.bytes[range])) }
    }

    /// Nil unless these are strings. Bytes that are no UTF-8 become U+FFFD.
    package func strings() -> [String]? {
        guard elementType == .string else { return nil }
        var strings: [String] = []
        strings.reserveCapacity(count)
        forEachString { strings.append(String(decoding: $0, as: UTF8.self)) }
        return strings
    }

    /// Calls `body` with the bytes of each string in order; not at all when these are no strings.
    package func forEachString(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard elementType == .string else { return }
        withEncodedBytes { bytes in
            var position = 0
            for _ in 0..<count {
                let length = Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
                body(UnsafeRawBufferPointer(rebasing: bytes[position + 8..<position + 8 + length]))
                position += 8 + length
            }
        }
    }

    /// Nil unless these are integers that fit.
    package func integers() -> [Int]? {
        switch elementType {
        case .uint8: plain(UInt8.self)
        case .int8: plain(Int8.self)
        case .uint16: plain(UInt16.self)
        case .int16: plain(Int16.self)
        case .uint32: plain(UInt32.self)
        case .int32: plain(Int32.self)
        case .uint64: plain(UInt64.self)
        case .int64: plain(Int64.self)
        default: nil
        }
    }

    /// Nil unless these are floating-point numbers.
    package func floats() -> [Float]? {
        switch elementType {
        case .float32: values(UInt32.self).map(Float.init(bitPattern:))
        case .float64: values(UInt64.self).map { Float(Double(bitPattern: $0)) }
        default: nil
        }
    }

    /// Nil unless these are truth values.
    package func bools() -> [Bool]? {
        elementType == .bool ? values(UInt8.self).map { $0 != 0 } : nil
    }

    private func plain<Value: FixedWidthInteger>(_ type: Value.Type) -> [Int]? {
        var integers: [Int] = []
        integers.reserveCapacity(count)
        for value in values(type) {
            guard let integer = Int(exactly: value) else { return nil }
            integers.append(integer)
        }
        return integers
    }

    private func values<Value: FixedWidthInteger>(_: Value.Type) -> [Value] {
        withEncodedBytes { bytes in
            (0..<count).map {
                let offset = $0 * MemoryLayout<Value>.size
                return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
            }
        }
    }
}
