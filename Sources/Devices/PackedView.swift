import CKernels
import Tensors

/// A look at rows of a matrix in a device's packed layout: whole tiles, the last filled up.
package struct PackedView {
    package let type: ElementType
    package let rowCount: Int
    package let columnCount: Int
    package let bytes: UnsafeRawBufferPointer

    package init(type: ElementType, rowCount: Int, columnCount: Int, bytes: UnsafeRawBufferPointer) {
        self.type = type
        self.rowCount = rowCount
        self.columnCount = columnCount
        self.bytes = bytes
    }

    package static func byteCount(of type: ElementType, rowCount: Int, columnCount: Int) -> Int {
        shard_packed_bytes(type.rawValue, rowCount, columnCount)
    }

    /// Its first byte, once type and size are what kernels read.
    func checked() throws(DeviceError) -> UnsafeRawPointer {
        guard shard_type_is_supported(type.rawValue), shard_columns_are_whole(type.rawValue, columnCount),
            let base = bytes.baseAddress,
            bytes.count == Self.byteCount(of: type, rowCount: rowCount, columnCount: columnCount)
        else {
            throw DeviceError(
                .shapeMismatch, place: "cpu",
                "expected packed \(type.name) of [\(rowCount), \(columnCount)], got \(bytes.count) bytes")
        }
        return base
    }
}
