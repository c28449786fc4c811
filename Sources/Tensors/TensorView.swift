/// A read-only look at a matrix or vector as a file stores it: row-major, rows of whole blocks.
///
/// It borrows its bytes: whoever hands one out keeps the mapping alive for as long as the view is used.
package struct TensorView {
    package let type: ElementType
    /// Rows, outermost dimensions multiplied; 1 for a vector.
    package let rowCount: Int
    /// Elements of one row, the innermost dimension.
    package let columnCount: Int
    /// `rowCount` × bytes of a row. Little-endian; aligned only to one byte.
    package let bytes: UnsafeRawBufferPointer

    /// - Precondition: `bytes` holds exactly `rowCount` rows; the file's index checked that.
    package init(type: ElementType, rowCount: Int, columnCount: Int, bytes: UnsafeRawBufferPointer) {
        let rowBytes = type.byteCount(elementCount: columnCount)
        precondition(rowBytes.map { $0 * rowCount == bytes.count } ?? false, "a view must match its bytes")
        self.type = type
        self.rowCount = rowCount
        self.columnCount = columnCount
        self.bytes = bytes
    }

    package var rowBytes: Int { rowCount == 0 ? 0 : bytes.count / rowCount }

    /// The bytes of one row.
    package func row(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[index * rowBytes..<(index + 1) * rowBytes])
    }
}
