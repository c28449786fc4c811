import Tensors

/// What stands before the tensor data of a file that is to be written, and where each tensor goes.
package struct FileHead: Sendable {
    /// All bytes up to the data's start, padding included.
    package let bytes: [UInt8]
    /// Places in the new file; in the order of the data.
    package let tensors: [TensorInfo]
    /// Bytes of the whole file, the padding after the last tensor included.
    package let fileByteCount: Int

    /// Bytes of zeros that follow each tensor up to the next one, or to the file's end.
    package func padding(afterTensor index: Int) -> Int {
        let next = index + 1 < tensors.count ? tensors[index + 1].offset : fileByteCount
        return next - tensors[index].range.upperBound
    }

    /// Places tensors one after the other from `start` on, each start and the end a multiple of `alignment`.
    static func place(
        _ tensors: [TensorInfo], from start: Int, alignment: Int, file: String
    ) throws(ModelFileError) -> (tensors: [TensorInfo], end: Int) {
        var placed: [TensorInfo] = []
        placed.reserveCapacity(tensors.count)
        var next = start
        for tensor in tensors {
            placed.append(
                TensorInfo(
                    name: tensor.name, type: tensor.type, shape: tensor.shape, fileIndex: 0, offset: next,
                    byteCount: tensor.byteCount))
            let (end, isOverflow) = next.addingReportingOverflow(tensor.byteCount)
            guard !isOverflow, end <= Int.max - alignment else {
                throw ModelFileError(
                    .limit, file: file, field: tensor.name, expected: "files below 2^63 bytes", got: "more")
            }
            next = (end + alignment - 1) / alignment * alignment
        }
        return (placed, next)
    }
}

extension [UInt8] {
    /// Appends a number, least significant byte first.
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
