import Tensors

/// Where a tensor is and what it looks like; checked against its file when the file was opened.
package struct TensorInfo: Sendable, Hashable {
    package let name: String
    package let type: ElementType
    /// Row-major, outermost dimension first; the innermost is a row of whole blocks.
    package let shape: [Int]
    /// Which of the model's files holds it.
    package let fileIndex: Int
    /// From the start of that file, in bytes.
    package let offset: Int
    package let byteCount: Int

    package init(name: String, type: ElementType, shape: [Int], fileIndex: Int, offset: Int, byteCount: Int) {
        self.name = name
        self.type = type
        self.shape = shape
        self.fileIndex = fileIndex
        self.offset = offset
        self.byteCount = byteCount
    }

    /// Bytes of the file that it covers.
    package var range: Range<Int> { offset..<offset + byteCount }
    /// Elements of one row; 1 for a scalar.
    package var columnCount: Int { shape.last ?? 1 }
    /// All dimensions but the innermost, multiplied.
    package var rowCount: Int { shape.dropLast().reduce(1, *) }
    package var elementCount: Int { shape.reduce(1, *) }

    /// Elements and bytes of a tensor of this shape; nil when a product overflows or a row is no whole number of blocks.
    package static func measure(_ shape: [Int], _ type: ElementType) -> (elements: Int, bytes: Int)? {
        guard (shape.last ?? 1) % type.blockElementCount == 0 else { return nil }
        var elements = 1
        for size in shape {
            let (product, isOverflow) = elements.multipliedReportingOverflow(by: size)
            guard size >= 0, !isOverflow else { return nil }
            elements = product
        }
        return type.byteCount(elementCount: elements).map { (elements, $0) }
    }
}

extension TensorInfo {
    /// Names of all element types, for errors.
    static let knownTypes = ElementType.allCases.map(\.name).joined(separator: ", ")
}
