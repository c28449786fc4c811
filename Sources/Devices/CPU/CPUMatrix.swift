import CKernels
import Tensors

/// A matrix, packed (layout: CKernels) or as a file stores it, and how its activations are stored.
final class CPUMatrix: DeviceMatrix {
    let outputCount: Int
    let inputCount: Int
    let tileCount: Int
    let activationKind: UInt32
    let bias: CPUVector?
    /// Of ``bytesInTile``: packed together when the file's layout is multiplied; 0 for a matrix that is packed already.
    let tilesPerPass: Int
    private let type: UInt32
    private let base: UnsafeRawPointer
    /// nil for a matrix whose bytes are somebody else's.
    private let area: WeightArena.Area?

    /// Of the view, before any are told to be copied: pages of both it and the packed copy are in memory that long.
    private static let packedAtOnceBytes = 16 << 20
    /// Of a passing matrix's tiles that are packed, then multiplied: both stay in a core's second-level cache.
    private static let passBytes = 256 << 10
    /// Kernels of floats take so many together.
    private static let passTilesMax = 4

    /// Packs `view`, tiles shared between the pool's threads.
    convenience init(
        _ view: TensorView, bias: TensorView?, activations: CPUDeviceOptions.Activations, pool: ThreadPool,
        arena: WeightArena, copied: (Range<Int>) -> Void
    ) throws(DeviceError) {
        try view.checkKernels()
        let area = try arena.allocate(
            byteCount: shard_packed_bytes(view.type.rawValue, view.rowCount, view.columnCount))
        self.init(
            view, base: UnsafeRawPointer(area.base), area: area,
            bias: try bias.map { view throws(DeviceError) in try CPUVector(view) }, activations: activations)
        guard let source = view.bytes.baseAddress, tileCount > 0 else { return }
        let (type, packed) = (type, area.base)
        let tileBytes = view.bytes.count / view.rowCount * Int(SHARD_TILE_ROWS)
        let tilesAtOnce = max(1, Self.packedAtOnceBytes / max(1, tileBytes))
        for first in stride(from: 0, to: tileCount, by: tilesAtOnce) {
            let end = min(first + tilesAtOnce, tileCount)
            let tilesPerTask = max(1, (end - first) / (pool.threadCount * 4))
            pool.run(taskCount: (end - first + tilesPerTask - 1) / tilesPerTask) { task, _ in
                let start = first + task * tilesPerTask
                shard_pack(
                    type, source, view.rowCount, view.columnCount, start, min(start + tilesPerTask, end), packed)
            }
            copied(first * tileBytes..<min(end * tileBytes, view.bytes.count))
        }
    }

    /// Leaves the bytes where they are.
    convenience init(
        passing view: TensorView, bias: CPUVector?, activations: CPUDeviceOptions.Activations
    ) throws(DeviceError) {
        try view.checkKernels()
        guard bias.map({ $0.count == view.rowCount }) ?? true else {
            throw DeviceError(
                .shapeMismatch, place: "cpu", "expected a bias of \(view.rowCount), got \(bias?.count ?? 0)")
        }
        guard let base = view.bytes.baseAddress else {
            throw DeviceError(.shapeMismatch, place: "cpu", "expected rows of a matrix, got none")
        }
        self.init(view, base: base, area: nil, bias: bias, activations: activations)
    }

    private init(
        _ view: TensorView, base: UnsafeRawPointer, area: WeightArena.Area?, bias: CPUVector?,
        activations: CPUDeviceOptions.Activations
    ) {
        type = view.type.rawValue
        outputCount = view.rowCount
        inputCount = view.columnCount
        tileCount = shard_tile_count(view.rowCount)
        switch activations {
        case .int8: activationKind = shard_activation_kind(type)
        case .float: activationKind = UInt32(SHARD_ACTIVATION_F32)
        }
        self.bias = bias
        self.base = base
        self.area = area
        let tileBytes = max(1, shard_tile_bytes(type, view.columnCount))
        tilesPerPass = area == nil ? max(1, min(Self.passTilesMax, Self.passBytes / tileBytes)) : 0
    }

    var bytes: Int { area?.byteCount ?? 0 }
    /// Of the tiles that are packed together; 0 for a matrix that is packed already.
    var passByteCount: Int { tilesPerPass * shard_tile_bytes(type, inputCount) }
    /// Its memory is packed only where `tilesPerPass` is 0.
    var kernelMatrix: shard_matrix {
        shard_matrix(packed: base, row_count: outputCount, column_count: inputCount, type: type)
    }
}
