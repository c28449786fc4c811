import CKernels
import Tensors

/// A matrix, packed (layout: CKernels) or as a file stores it, and how its activations are stored.
final class CPUMatrix: DeviceMatrix {
    let outputCount: Int
    let inputCount: Int
    let tileCount: Int
    let activationKind: UInt32
    let bias: CPUVector?
    /// Otherwise a few tiles are packed at a time, and multiplied while they are in the cache.
    let isPacked: Bool
    private let type: UInt32
    private let base: UnsafeRawPointer
    /// nil for a matrix whose bytes are somebody else's.
    private let area: WeightArena.Area?

    /// Of the view, before any are told to be copied: pages of both it and the packed copy are in memory that long.
    private static let packedAtOnceBytes = 16 << 20

    /// Packs `view`, tiles shared between the pool's threads.
    convenience init(
        _ view: TensorView, bias: TensorView?, activations: CPUDeviceOptions.Activations, pool: ThreadPool,
        arena: WeightArena, copied: (Range<Int>) -> Void
    ) throws(DeviceError) {
        try view.checkKernels()
        let area = try arena.allocate(
            byteCount: shard_packed_bytes(view.type.rawValue, view.rowCount, view.columnCount))
        self.init(
            view.type, view.rowCount, view.columnCount, base: UnsafeRawPointer(area.base), area: area,
            bias: try bias.map { view throws(DeviceError) in try CPUVector(view) }, activations: activations,
            isPacked: true)
        guard let source = view.bytes.baseAddress, tileCount > 0 else { return }
        let tileBytes = view.bytes.count / view.rowCount * Int(SHARD_TILE_ROWS)
        let tilesAtOnce = max(1, Self.packedAtOnceBytes / max(1, tileBytes))
        for first in stride(from: 0, to: tileCount, by: tilesAtOnce) {
            let end = min(first + tilesAtOnce, tileCount)
            Self.pack(view, source, into: area.base, pool: pool, tiles: first..<end)
            copied(first * tileBytes..<min(end * tileBytes, view.bytes.count))
        }
    }

    /// Packs some of a view's tiles, shared between the pool's threads.
    static func pack(
        _ view: TensorView, _ source: UnsafeRawPointer, into packed: UnsafeMutableRawPointer, pool: ThreadPool,
        tiles: Range<Int>
    ) {
        let tilesPerTask = max(1, tiles.count / (pool.threadCount * 4))
        pool.run(taskCount: (tiles.count + tilesPerTask - 1) / tilesPerTask) { task, _ in
            let start = tiles.lowerBound + task * tilesPerTask
            shard_pack(
                view.type.rawValue, source, view.rowCount, view.columnCount, start,
                min(start + tilesPerTask, tiles.upperBound), packed)
        }
    }

    /// Copies tiles that are packed already.
    convenience init(
        copying packed: PackedView, bias: TensorView?, activations: CPUDeviceOptions.Activations, pool: ThreadPool,
        arena: WeightArena
    ) throws(DeviceError) {
        let source = try packed.checked()
        let area = try arena.allocate(byteCount: packed.bytes.count)
        let pieceCount = 4 * pool.threadCount
        pool.run(taskCount: pieceCount) { piece, _ in
            let start = packed.bytes.count * piece / pieceCount
            let end = packed.bytes.count * (piece + 1) / pieceCount
            (area.base + start).copyMemory(from: source + start, byteCount: end - start)
        }
        self.init(
            packed.type, packed.rowCount, packed.columnCount, base: UnsafeRawPointer(area.base), area: area,
            bias: try bias.map { view throws(DeviceError) in try CPUVector(view) }, activations: activations,
            isPacked: true)
    }

    /// Leaves tiles that are packed already where they are.
    convenience init(
        passing packed: PackedView, bias: CPUVector?, activations: CPUDeviceOptions.Activations
    ) throws(DeviceError) {
        try Self.check(bias, rowCount: packed.rowCount)
        self.init(
            packed.type, packed.rowCount, packed.columnCount, base: try packed.checked(), area: nil, bias: bias,
            activations: activations, isPacked: true)
    }

    /// Leaves the bytes where they are.
    convenience init(
        passing view: TensorView, bias: CPUVector?, activations: CPUDeviceOptions.Activations
    ) throws(DeviceError) {
        try view.checkKernels()
        try Self.check(bias, rowCount: view.rowCount)
        guard let base = view.bytes.baseAddress else {
            throw DeviceError(.shapeMismatch, place: "cpu", "expected rows of a matrix, got none")
        }
        self.init(
            view.type, view.rowCount, view.columnCount, base: base, area: nil, bias: bias, activations: activations,
            isPacked: false)
    }

    private static func check(_ bias: CPUVector?, rowCount: Int) throws(DeviceError) {
        guard bias.map({ $0.count == rowCount }) ?? true else {
            throw DeviceError(
                .shapeMismatch, place: "cpu", "expected a bias of \(rowCount), got \(bias?.count ?? 0)")
        }
    }

    private init(
        _ elementType: ElementType, _ rowCount: Int, _ columnCount: Int, base: UnsafeRawPointer,
        area: WeightArena.Area?, bias: CPUVector?, activations: CPUDeviceOptions.Activations, isPacked: Bool
    ) {
        type = elementType.rawValue
        outputCount = rowCount
        inputCount = columnCount
        tileCount = shard_tile_count(rowCount)
        switch activations {
        case .int8: activationKind = shard_activation_kind(type)
        case .float: activationKind = UInt32(SHARD_ACTIVATION_F32)
        }
        self.bias = bias
        self.base = base
        self.area = area
        self.isPacked = isPacked
    }

    var bytes: Int { area?.byteCount ?? 0 }
    /// Of a tile that is packed when it is multiplied; 0 for a matrix that is packed already.
    var passingTileBytes: Int { isPacked ? 0 : shard_tile_bytes(type, inputCount) }
    /// Its memory is packed only where the matrix is.
    var kernelMatrix: shard_matrix {
        shard_matrix(packed: base, row_count: outputCount, column_count: inputCount, type: type)
    }
}
