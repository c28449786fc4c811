import CKernels
import Models
import Sharding
import Tensors

/// The tokens' first hidden states, decoded row by row from the mapped file; holds no copy of the matrix.
package final class EmbeddingTable: Sendable {
    package let vocabularySize: Int
    package let hiddenSize: Int
    private let type: ElementType
    private let rowBytes: Int
    private let source: any TensorSource
    /// Safe to share: the bytes are read only, and `source`, which owns them, lives as long as this.
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    package init(model: ModelSpec, source: any TensorSource) throws(InferenceError) {
        let name = model.embedding.weight
        let view = try source.tensor(name, rowCount: model.vocabularySize, columnCount: model.hiddenSize)
        guard shard_type_is_supported(view.type.rawValue),
            shard_columns_are_whole(view.type.rawValue, view.columnCount)
        else {
            let known = ElementType.allCases.filter { shard_type_is_supported($0.rawValue) }.map(\.name)
            throw InferenceError(
                .weights, place: name, "expected type \(known.joined(separator: ", ")), got \(view.type.name)")
        }
        vocabularySize = view.rowCount
        hiddenSize = view.columnCount
        type = view.type
        rowBytes = view.rowBytes
        base = view.bytes.baseAddress
        self.source = source
    }

    /// Writes the rows of a step's tokens: `[rows, hiddenSize]`, f32.
    ///
    /// - Parameter output: exactly `rows.count × hiddenSize` floats, any alignment of a Float.
    /// - Throws: ``InferenceError`` `.invalidStep` for a token that is not in the vocabulary.
    package func decode(
        _ rows: [StepRow], into output: UnsafeMutableBufferPointer<Float>
    ) throws(InferenceError) {
        guard output.count == rows.count * hiddenSize else {
            throw InferenceError(
                .invalidStep, place: "embedding",
                "expected room for \(rows.count * hiddenSize) floats, got \(output.count)")
        }
        guard let target = output.baseAddress, let base else { return }
        for (index, row) in rows.enumerated() {
            guard row.token >= 0, Int(row.token) < vocabularySize else {
                throw InferenceError(
                    .invalidStep, place: "sequence \(row.sequence)",
                    "expected a token in 0..<\(vocabularySize), got \(row.token)")
            }
            shard_decode_row(
                type.rawValue, base + Int(row.token) * rowBytes, hiddenSize, target + index * hiddenSize)
        }
    }
}
