import Models
import Tensors

/// Where tensors come from by name: a model file, a shard, a cache folder.
package protocol TensorSource: AnyObject, Sendable {
    /// A look at the tensor's bytes, valid as long as the source lives; nil when there is none of that name.
    func tensor(_ name: String) throws -> TensorView?
    /// These of the tensor's bytes were copied: their pages may be given back, and are read again should it be asked for
    /// again.
    func discard(_ bytes: Range<Int>, of name: String)
}

extension TensorSource {
    /// The tensor, checked against the shape that the model's metadata promise.
    func tensor(_ name: String, rowCount: Int, columnCount: Int) throws(InferenceError) -> TensorView {
        let view: TensorView?
        do {
            view = try tensor(name)
        } catch {
            throw InferenceError(.weights, place: name, "cannot be read", cause: error)
        }
        guard let view else {
            throw InferenceError(
                .missingTensor, place: name, "expected a tensor [\(rowCount), \(columnCount)], found none")
        }
        guard view.rowCount == rowCount, view.columnCount == columnCount else {
            throw InferenceError(
                .shapeMismatch, place: name,
                "expected shape [\(rowCount), \(columnCount)], got [\(view.rowCount), \(view.columnCount)]")
        }
        return view
    }

    /// The rows of a matrix, and how many bytes of its tensor lie before them.
    func matrix(_ spec: LinearSpec) throws(InferenceError) -> (view: TensorView, offset: Int) {
        let all = try tensor(
            spec.weight, rowCount: spec.outputCount * (spec.stack?.count ?? 1), columnCount: spec.inputCount)
        let offset = spec.firstRow * all.rowBytes
        let bytes = UnsafeRawBufferPointer(rebasing: all.bytes[offset..<offset + spec.outputCount * all.rowBytes])
        return (
            TensorView(type: all.type, rowCount: spec.outputCount, columnCount: spec.inputCount, bytes: bytes), offset
        )
    }

    /// A vector of `count` elements.
    func vector(_ name: String, count: Int) throws(InferenceError) -> TensorView {
        try tensor(name, rowCount: 1, columnCount: count)
    }
}
