import CKernels
import Models
import Sharding
import Tensors

/// The tokens' first hidden states, decoded row by row from the file; holds no copy of the matrix.
package final class EmbeddingTable: Sendable {
    package let vocabularySize: Int
    package let hiddenSize: Int
    private let type: ElementType
    private let rowBytes: Int
    private let rows: Rows

    private enum Rows: @unchecked Sendable {
        /// Safe to share: the bytes are read only, and the source, which owns them, lives as long as this.
        case mapped(UnsafeRawPointer?, any TensorSource)
        /// Read one by one: of a file, from an offset on.
        case read(StreamedTensors, file: Int, offset: Int)
    }

    /// Rows of the mapped file.
    package init(model: ModelSpec, source: any TensorSource) throws(InferenceError) {
        let name = model.embedding.weight
        let view = try source.tensor(name, rowCount: model.vocabularySize, columnCount: model.hiddenSize)
        try Self.check(view.type, columnCount: view.columnCount, name)
        vocabularySize = view.rowCount
        hiddenSize = view.columnCount
        type = view.type
        rowBytes = view.rowBytes
        rows = .mapped(view.bytes.baseAddress, source)
    }

    /// Rows that are read when they are wanted, and leave nothing in the page cache.
    package init(model: ModelSpec, tensors: StreamedTensors) throws(InferenceError) {
        let name = model.embedding.weight
        let tensor = try tensors.tensor(name, rowCount: model.vocabularySize, columnCount: model.hiddenSize)
        try Self.check(tensor.type, columnCount: tensor.columnCount, name)
        vocabularySize = tensor.rowCount
        hiddenSize = tensor.columnCount
        type = tensor.type
        rowBytes = tensor.rowCount == 0 ? 0 : tensor.byteCount / tensor.rowCount
        rows = .read(tensors, file: tensor.fileIndex, offset: tensor.offset)
    }

    private static func check(_ type: ElementType, columnCount: Int, _ name: String) throws(InferenceError) {
        guard shard_type_is_supported(type.rawValue), shard_columns_are_whole(type.rawValue, columnCount) else {
            let known = ElementType.allCases.filter { shard_type_is_supported($0.rawValue) }.map(\.name)
            throw InferenceError(
                .weights, place: name, "expected type \(known.joined(separator: ", ")), got \(type.name)")
        }
    }

    /// Writes the rows of a step's tokens: `[rows, hiddenSize]`, f32.
    ///
    /// - Parameter output: exactly `rows.count × hiddenSize` floats, any alignment of a Float.
    /// - Throws: ``InferenceError`` `.invalidStep` for a token that is not in the vocabulary, `.weights` for a file that
    ///   cannot be read.
    package func decode(
        _ stepRows: [StepRow], into output: UnsafeMutableBufferPointer<Float>
    ) throws(InferenceError) {
        guard output.count == stepRows.count * hiddenSize else {
            throw InferenceError(
                .invalidStep, place: "embedding",
                "expected room for \(stepRows.count * hiddenSize) floats, got \(output.count)")
        }
        guard let target = output.baseAddress else { return }
        for (index, row) in stepRows.enumerated() {
            guard row.token >= 0, Int(row.token) < vocabularySize else {
                throw InferenceError(
                    .invalidStep, place: "sequence \(row.sequence)",
                    "expected a token in 0..<\(vocabularySize), got \(row.token)")
            }
            try decode(Int(row.token), into: target + index * hiddenSize)
        }
    }

    private func decode(_ token: Int, into target: UnsafeMutablePointer<Float>) throws(InferenceError) {
        switch rows {
        case .mapped(let base, _):
            guard let base else { return }
            shard_decode_row(type.rawValue, base + token * rowBytes, hiddenSize, target)
        case .read(let tensors, let file, let offset):
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: rowBytes, alignment: 64)
            defer { bytes.deallocate() }
            let start = offset + token * rowBytes
            try tensors.read(start..<start + rowBytes, ofFile: file, into: bytes)
            if let base = bytes.baseAddress { shard_decode_row(type.rawValue, base, hiddenSize, target) }
        }
    }
}
