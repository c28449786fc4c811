import CKernels
import Tensors

/// The processor with its own threads; every operation is done when it returns.
package final class CPUDevice: Device {
    package let name = "cpu"
    /// The same on every machine; the number goes up when a tile's bits move.
    package let packedLayout = "cpu-1"
    /// Name of the instruction set in use.
    package let kernelsName: String
    package let options: CPUDeviceOptions

    let kernels: shard_kernels
    let pool: ThreadPool
    private let arena = WeightArena()
    /// Activations of the current multiplication as kernels want them, one area a kind (`SHARD_ACTIVATION_…`).
    var prepared: [AlignedMemory?] = [nil, nil, nil]
    /// The current multiplication's matrices; empty between calls, which holds on to its memory and to no weights.
    var products: [Product] = []
    /// Kinds of activations, a bit each, that are prepared for the run of rows that begins with each row of the current
    /// multiplication.
    var preparedKinds: [UInt32] = []
    /// Tiles of passing matrices while they are multiplied, an area a thread.
    var passingTiles: AlignedMemory?
    /// Partial results of attention spans.
    var partials: AlignedMemory?
    /// Addresses of the cache blocks that the current step's tables name.
    var blockAddresses: [UnsafeRawPointer?] = []
    private var placementVersion: UInt64 = 0

    package init(_ options: CPUDeviceOptions) throws(DeviceError) {
        guard options.threads > 0, options.threads <= CPUDeviceOptions.threadsMax else {
            throw DeviceError(
                .unsupported, place: "threads",
                "expected 1 to \(CPUDeviceOptions.threadsMax), got \(options.threads)")
        }
        self.options = options
        kernels = try CPUDeviceOptions.table(options.kernels)
        kernelsName = String(cString: kernels.name)
        pool = try ThreadPool(threadCount: options.threads, cpus: options.cpus)
    }

    package func makeBuffer(rowCapacity: Int, columnCount: Int) throws(DeviceError) -> any DeviceBuffer {
        try CPUBuffer(rowCapacity: rowCapacity, columnCount: columnCount)
    }

    package func makeVector(_ view: TensorView) throws(DeviceError) -> any DeviceVector { try CPUVector(view) }

    package func reserveWeights(_ byteCount: Int) throws(DeviceError) {
        try arena.reserve(byteCount: byteCount)
    }

    package func makeMatrix(
        _ view: TensorView, bias: TensorView?, copied: (Range<Int>) -> Void
    ) throws(DeviceError) -> any DeviceMatrix {
        try CPUMatrix(view, bias: bias, activations: options.activations, pool: pool, arena: arena, copied: copied)
    }

    package func makePassingMatrix(
        _ view: TensorView, bias: (any DeviceVector)?
    ) throws(DeviceError) -> any DeviceMatrix {
        try CPUMatrix(passing: view, bias: bias.map { own($0) }, activations: options.activations)
    }

    package func makePassingMatrix(
        _ packed: PackedView, bias: (any DeviceVector)?
    ) throws(DeviceError) -> any DeviceMatrix {
        try CPUMatrix(passing: packed, bias: bias.map { own($0) }, activations: options.activations)
    }

    package func makeMatrix(_ packed: PackedView, bias: TensorView?) throws(DeviceError) -> any DeviceMatrix {
        try CPUMatrix(copying: packed, bias: bias, activations: options.activations, pool: pool, arena: arena)
    }

    package func pack(_ view: TensorView, into target: UnsafeMutableRawBufferPointer) throws(DeviceError) {
        try view.checkKernels()
        guard
            target.count == PackedView.byteCount(of: view.type, rowCount: view.rowCount, columnCount: view.columnCount)
        else { throw DeviceError(.shapeMismatch, place: "cpu", "expected room for the packed rows") }
        guard let source = view.bytes.baseAddress, let base = target.baseAddress else { return }
        CPUMatrix.pack(view, source, into: base, pool: pool, tiles: 0..<shard_tile_count(view.rowCount))
    }

    package func makeRotary(_ parameters: RotaryParameters) throws(DeviceError) -> any DeviceRotary {
        CPURotary(parameters)
    }

    package func makeCache(_ shape: CacheShape, blockCount: Int) throws(DeviceError) -> any DeviceCache {
        try CPUCache(shape, blockCount: blockCount)
    }

    package func makePlacement(rowCapacity: Int) throws(DeviceError) -> any DevicePlacement {
        CPUPlacement(rowCapacity: rowCapacity)
    }

    package func upload(_ source: UnsafeRawBufferPointer, rowCount: Int, to buffer: any DeviceBuffer) {
        let target = own(buffer)
        let bytes = rowCount * target.columnCount * MemoryLayout<Float>.size
        precondition(rowCount <= target.rowCapacity && source.count == bytes, "rows fit their buffer")
        if let base = source.baseAddress {
            UnsafeMutableRawPointer(target.floats).copyMemory(from: base, byteCount: bytes)
        }
    }

    package func upload(_ rows: RowPlacement, to placement: any DevicePlacement) {
        placementVersion += 1
        own(placement).set(rows, version: placementVersion)
    }

    package func download(
        _ rows: Range<Int>, of buffer: any DeviceBuffer, to target: UnsafeMutableRawPointer
    ) throws(DeviceError) {
        let source = own(buffer)
        precondition(rows.upperBound <= source.rowCapacity, "rows fit their buffer")
        target.copyMemory(
            from: source.row(rows.lowerBound), byteCount: rows.count * source.columnCount * MemoryLayout<Float>.size)
    }

    package func synchronize() throws(DeviceError) {}

    package func copyBlock(_ source: Int, to target: Int, in cache: any DeviceCache) {
        own(cache).copy(source, to: target)
    }
}

// A handle goes back only to the device that made it; another one's is our own bug.
extension CPUDevice {
    func own(_ buffer: any DeviceBuffer) -> CPUBuffer {
        guard let own = buffer as? CPUBuffer else { preconditionFailure("a buffer belongs to its device") }
        return own
    }

    func own(_ vector: any DeviceVector) -> CPUVector {
        guard let own = vector as? CPUVector else { preconditionFailure("a vector belongs to its device") }
        return own
    }

    func own(_ matrix: any DeviceMatrix) -> CPUMatrix {
        guard let own = matrix as? CPUMatrix else { preconditionFailure("a matrix belongs to its device") }
        return own
    }

    func own(_ rotary: any DeviceRotary) -> CPURotary {
        guard let own = rotary as? CPURotary else { preconditionFailure("a rotary belongs to its device") }
        return own
    }

    func own(_ cache: any DeviceCache) -> CPUCache {
        guard let own = cache as? CPUCache else { preconditionFailure("a cache belongs to its device") }
        return own
    }

    func own(_ placement: any DevicePlacement) -> CPUPlacement {
        guard let own = placement as? CPUPlacement else { preconditionFailure("a placement belongs to its device") }
        return own
    }
}
