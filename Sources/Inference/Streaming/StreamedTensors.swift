import Devices
import ModelFiles
import Models
import Streaming
import Tensors
import WeightTransfer

/// A model's tensors by where they lie on disk, read piece by piece and never mapped.
package final class StreamedTensors: Sendable {
    let model: ModelFile
    /// The model's, then those of packed weights.
    package let files: [PieceFile]
    /// Matrices that are read packed, by name: which file, and what is in it.
    private let packed: [String: (file: Int, entry: PackedEntry)]

    /// Opens the model's files, which must be those that were described before.
    ///
    /// - Parameters:
    ///   - packed: weights of matrices by name, that are read instead of the model's.
    ///   - allowsStatusChanges: whether the files may be used, named and protected anew by others, as those of a store
    ///     are, as long as nobody writes to them.
    package init(
        _ model: ModelFile, packed: [String: PackedEntry] = [:], allowsStatusChanges: Bool = false
    ) throws(InferenceError) {
        self.model = model
        var files: [PieceFile] = []
        for file in model.files {
            files.append(try Self.open(file, allowsStatusChanges: allowsStatusChanges))
        }
        var places: [String: (file: Int, entry: PackedEntry)] = [:]
        for (name, entry) in packed.sorted(by: { $0.key < $1.key }) {
            places[name] = (files.count, entry)
            files.append(try Self.open(entry.file, allowsStatusChanges: true))
        }
        self.files = files
        self.packed = places
    }

    private static func open(_ file: MappedFile, allowsStatusChanges: Bool = false) throws(InferenceError) -> PieceFile
    {
        try readingWeights { () throws(ModelFileError) in
            try PieceFile(file, allowsStatusChanges: allowsStatusChanges)
        }
    }

    /// The matrices of these layers, and of the head, in the order in which a step needs them.
    func matrices(
        of spec: ModelSpec, layers: Range<Int>, hasHead: Bool
    ) throws(InferenceError) -> [StreamableMatrix] {
        try spec.check(layers: layers)
        var matrices: [StreamableMatrix] = []
        for unit in layers {
            let layer = spec.layers[unit]
            for spec in layer.denseMatrices { matrices.append(try matrix(spec, unit: unit)) }
            for spec in layer.feedForward.expertMatrices {
                matrices.append(try matrix(spec, unit: unit, mixture: layer.mixture))
            }
        }
        if hasHead { matrices.append(try matrix(spec.head.output, unit: spec.layers.count)) }
        return matrices
    }

    private func matrix(
        _ spec: LinearSpec, unit: Int, mixture: StreamableMatrix.Mixture? = nil
    ) throws(InferenceError) -> StreamableMatrix {
        let count = spec.stack?.count ?? 1
        let tensor = try tensor(spec.weight, rowCount: spec.outputCount * count, columnCount: spec.inputCount)
        let bytes = tensor.byteCount / count
        var matrix = StreamableMatrix(
            name: spec.weight, unit: unit, type: tensor.type, rowCount: spec.outputCount, columnCount: spec.inputCount,
            place: Piece(
                file: tensor.fileIndex, offset: tensor.offset + (spec.stack?.index ?? 0) * bytes, byteCount: bytes),
            bias: spec.bias, stack: spec.stack, mixture: mixture)
        if let found = packed[spec.weight] {
            matrix.packed = StreamableMatrix.Packed(
                file: found.file, firstTile: (spec.stack?.index ?? 0) * matrix.tileCount, checks: found.entry.checks)
        }
        return matrix
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
        try readingWeights { () throws(ModelFileError) in try files[index].read(range, into: base) }
    }

    /// Whether all files are still those that were opened.
    package var areUnchanged: Bool { files.allSatisfy { (try? $0.checkUnchanged()) != nil } }

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

extension LayerSpec {
    /// Those that every row is multiplied with, in the order in which a step does that.
    fileprivate var denseMatrices: [LinearSpec] {
        [attention.query, attention.key, attention.value, attention.output] + feedForward.denseMatrices
    }

    /// What experts there are, nil for a layer without.
    fileprivate var mixture: StreamableMatrix.Mixture? {
        guard case .experts(let spec) = feedForward else { return nil }
        return StreamableMatrix.Mixture(count: spec.experts.count, usedCount: spec.usedCount)
    }
}
