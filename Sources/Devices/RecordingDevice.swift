import Tensors

/// Computes nothing and writes down what it is asked, for tests of what runs on a device and in which order.
package final class RecordingDevice: Device {
    package let name = "recording"
    package let packedLayout = "recording-1"
    /// One line an operation, as `project 3 rows through 2`.
    package private(set) var operations: [String] = []

    package init() {}

    private final class Handle: DeviceBuffer, DeviceVector, DeviceMatrix, DeviceRotary, DeviceCache, DevicePlacement {
        var rowCapacity = 0
        var columnCount = 0
        var count = 0
        var outputCount = 0
        var inputCount = 0
        var bytes = 0
        var blockCount = 0
        var shape = CacheShape(keyValueHeadCount: 1, headDim: 1, elementType: .f32)
    }

    package func makeBuffer(rowCapacity: Int, columnCount: Int) throws(DeviceError) -> any DeviceBuffer {
        let handle = Handle()
        (handle.rowCapacity, handle.columnCount) = (rowCapacity, columnCount)
        return handle
    }

    package func makeVector(_ view: TensorView) throws(DeviceError) -> any DeviceVector {
        let handle = Handle()
        handle.count = view.columnCount
        return handle
    }

    package func reserveWeights(_ byteCount: Int) throws(DeviceError) {}

    package func makeMatrix(
        _ view: TensorView, bias: TensorView?, copied: (Range<Int>) -> Void
    ) throws(DeviceError) -> any DeviceMatrix {
        let handle = Handle()
        copied(0..<view.bytes.count)
        (handle.outputCount, handle.inputCount, handle.bytes) = (view.rowCount, view.columnCount, view.bytes.count)
        return handle
    }

    package func makePassingMatrix(
        _ view: TensorView, bias: (any DeviceVector)?
    ) throws(DeviceError) -> any DeviceMatrix {
        let handle = Handle()
        (handle.outputCount, handle.inputCount) = (view.rowCount, view.columnCount)
        return handle
    }

    package func makePassingMatrix(
        _ packed: PackedView, bias: (any DeviceVector)?
    ) throws(DeviceError) -> any DeviceMatrix {
        try makeMatrix(packed, bias: nil)
    }

    package func makeMatrix(_ packed: PackedView, bias: TensorView?) throws(DeviceError) -> any DeviceMatrix {
        let handle = Handle()
        (handle.outputCount, handle.inputCount) = (packed.rowCount, packed.columnCount)
        return handle
    }

    package func pack(_ view: TensorView, into target: UnsafeMutableRawBufferPointer) throws(DeviceError) {}

    package func makeRotary(_ parameters: RotaryParameters) throws(DeviceError) -> any DeviceRotary { Handle() }

    package func makeCache(_ shape: CacheShape, blockCount: Int) throws(DeviceError) -> any DeviceCache {
        let handle = Handle()
        (handle.shape, handle.blockCount) = (shape, blockCount)
        return handle
    }

    package func makePlacement(rowCapacity: Int) throws(DeviceError) -> any DevicePlacement {
        let handle = Handle()
        handle.rowCapacity = rowCapacity
        return handle
    }

    package func upload(_ source: UnsafeRawBufferPointer, rowCount: Int, to buffer: any DeviceBuffer) {
        operations.append("upload \(rowCount) rows")
    }

    package func upload(_ rows: RowPlacement, to placement: any DevicePlacement) {
        operations.append("place \(rows.rowCount) rows")
    }

    package func download(
        _ rows: Range<Int>, of buffer: any DeviceBuffer, to target: UnsafeMutableRawPointer
    ) throws(DeviceError) {
        operations.append("download \(rows.count) rows")
        target.initializeMemory(as: UInt8.self, repeating: 0, count: rows.count * buffer.columnCount * 4)
    }

    package func synchronize() throws(DeviceError) { operations.append("synchronize") }

    package func normalize(
        _ input: any DeviceBuffer, weight: any DeviceVector, epsilon: Float, rowCount: Int,
        into output: any DeviceBuffer
    ) {
        operations.append("normalize \(rowCount) rows")
    }

    package func project(
        _ input: any DeviceBuffer, rowCount: Int, through projections: [Projection], isContinued: Bool
    ) {
        operations.append("project \(rowCount) rows through \(projections.count)\(isContinued ? " more" : "")")
    }

    package func normalizeHeads(
        _ heads: any DeviceBuffer, headDim: Int, weight: any DeviceVector, epsilon: Float, rowCount: Int
    ) {
        operations.append("normalize heads of \(rowCount) rows")
    }

    package func rotate(
        _ heads: any DeviceBuffer, headDim: Int, by rotary: any DeviceRotary, at placement: any DevicePlacement
    ) {
        operations.append("rotate")
    }

    package func store(
        keys: any DeviceBuffer, values: any DeviceBuffer, into cache: any DeviceCache,
        at placement: any DevicePlacement
    ) {
        operations.append("store")
    }

    package func attend(
        queries: any DeviceBuffer, over cache: any DeviceCache, _ attention: AttentionParameters,
        at placement: any DevicePlacement, into output: any DeviceBuffer
    ) {
        operations.append("attend")
    }

    package func activate(
        gate: any DeviceBuffer, up: any DeviceBuffer, rowCount: Int, into output: any DeviceBuffer
    ) {
        operations.append("activate \(rowCount) rows")
    }

    package func mix(_ input: any DeviceBuffer, by shares: RowShares, into output: any DeviceBuffer) {
        operations.append("mix \(shares.rows.count / max(1, shares.sharesPerRow)) rows of \(shares.sharesPerRow) each")
    }

    package func add(_ delta: any DeviceBuffer, to hidden: any DeviceBuffer, rowCount: Int) {
        operations.append("add \(rowCount) rows")
    }

    package func gather(_ rows: [Int], of input: any DeviceBuffer, into output: any DeviceBuffer) {
        operations.append("gather \(rows.count) rows")
    }

    package func copyBlock(_ source: Int, to target: Int, in cache: any DeviceCache) {
        operations.append("copy block \(source) to \(target)")
    }
}
