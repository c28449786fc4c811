/// Reads little-endian values one after the other, never beyond the end.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private(set) var position = 0

    /// - Parameter bytes: borrowed; the caller keeps them alive.
    init(_ bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    var remaining: Int { bytes.count - position }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type, _ field: @autoclosure () -> String)
        throws(ModelFileError) -> Value
    {
        let range = try take(MemoryLayout<Value>.size, field())
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: Value.self))
    }

    /// A length of 64 bits, then that many bytes.
    mutating func string(_ field: @autoclosure () -> String) throws(ModelFileError) -> Range<Int> {
        let start = position
        let length = try integer(UInt64.self, field())
        guard length <= UInt64(remaining) else {
            throw ModelFileError(
                .truncated, file: file, field: field(), offset: start,
                expected: "a string of at most \(remaining) bytes, the rest of the file", got: "\(length) bytes")
        }
        return try take(Int(length), field())
    }

    mutating func take(_ count: Int, _ field: @autoclosure () -> String) throws(ModelFileError) -> Range<Int> {
        guard count >= 0, count <= remaining else {
            throw ModelFileError(
                .truncated, file: file, field: field(), offset: position, expected: "\(count) more bytes",
                got: "the end after \(remaining)", hint: "was the download finished?")
        }
        defer { position += count }
        return position..<position + count
    }
}
