import Devices
import ModelFiles
import Models
import Streaming
import Tensors

/// A model's tensors by where they lie on disk, read piece by piece and never mapped.
package final class StreamedTensors: Sendable {
    let model: ModelFile
    package let files: [PieceFile]

    /// Opens the model's files, which must be those that were described before.
    package init(_ model: ModelFile) throws(InferenceError) {
        self.model = model
        var files: [PieceFile] = []
        for file in model.files {
            do {
                files.append(try PieceFile(file))
            } catch {
                throw InferenceError(.weights, place: "weights", "", cause: error)
            }
        }
        self.files = files
    }

    /// The matrices of these layers, and of the head, in the order in which a step needs them.
    func matrices(
        of spec: ModelSpec, layers: Range<Int>, hasHead: Bool
    ) throws(InferenceError) -> [StreamableMatrix] {
        try spec.check(layers: layers)
        var specs = layers.flatMap { unit in spec.layers[unit].matrices.map { (unit, $0) } }
        if hasHead { specs.append((spec.layers.count, spec.head.output)) }
        return try specs.map { unit, spec throws(InferenceError) in
            let tensor = try tensor(spec.weight, rowCount: spec.outputCount, columnCount: spec.inputCount)
            return StreamableMatrix(
                name: spec.weight, unit: unit, type: tensor.type, rowCount: tensor.rowCount,
                columnCount: tensor.columnCount, place: tensor.piece, bias: spec.bias)
        }
    }

    /// Reads all of a vector at once.
    func withVector<Result>(
        _ name: String, count: Int, _ body: (TensorView) throws(InferenceError) -> Result
    ) throws(InferenceError) -> Result {
        let tensor = try tensor(name, rowCount: 1, columnCount: count)
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: tensor.byteCount, alignment: 64)
        defer { bytes.deallocate() }
        try read(tensor.range, ofFile: tensor.fileIndex, into: bytes)
        return try body(
            TensorView(
                type: tensor.type, rowCount: 1, columnCount: count, bytes: UnsafeRawBufferPointer(bytes)))
    }

    func read(
        _ range: Range<Int>, ofFile index: Int, into target: UnsafeMutableRawBufferPointer
    ) throws(InferenceError) {
        guard let base = target.baseAddress else { return }
        do {
            try files[index].read(range, into: base)
        } catch {
            throw InferenceError(.weights, place: "weights", "", cause: error)
        }
    }

    func tensor(_ name: String, rowCount: Int, columnCount: Int) throws(InferenceError) -> TensorInfo {
        guard let tensor = model.tensor(name) as TensorInfo? else {
            throw InferenceError(
                .missingTensor, place: name, "expected a tensor [\(rowCount), \(columnCount)], found none")
        }
        guard tensor.rowCount == rowCount, tensor.columnCount == columnCount else {
            throw InferenceError(
                .shapeMismatch, place: name,
                "expected shape [\(rowCount), \(columnCount)], got [\(tensor.rowCount), \(tensor.columnCount)]")
        }
        guard model.holds(tensor) else {
            throw InferenceError(.weights, place: name, "expected its bytes in a file, found a description alone")
        }
        return tensor
    }
}

extension TensorInfo {
    var piece: Piece { Piece(file: fileIndex, offset: offset, byteCount: byteCount) }
}

extension LayerSpec {
    /// In the order in which a step multiplies with them.
    var matrices: [LinearSpec] {
        let attention = [attention.query, attention.key, attention.value, attention.output]
        switch feedForward {
        case .gated(let gate, let up, let down): return attention + [gate, up, down]
        }
    }
}
