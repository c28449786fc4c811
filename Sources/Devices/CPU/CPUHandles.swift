import CKernels
import Tensors

final class CPUBuffer: DeviceBuffer {
    let rowCapacity: Int
    let columnCount: Int
    private let memory: AlignedMemory

    init(rowCapacity: Int, columnCount: Int) throws(DeviceError) {
        let (count, overflow) = rowCapacity.multipliedReportingOverflow(by: columnCount)
        guard !overflow, count >= 0, count < Int.max / 4 else {
            throw DeviceError(.outOfMemory, place: "cpu", "activations [\(rowCapacity), \(columnCount)] are too many")
        }
        self.rowCapacity = rowCapacity
        self.columnCount = columnCount
        memory = try AlignedMemory(byteCount: count * MemoryLayout<Float>.size, for: "activations")
    }

    var floats: UnsafeMutablePointer<Float> { memory.floats }
    func row(_ index: Int) -> UnsafeMutablePointer<Float> { floats + index * columnCount }
}

final class CPUVector: DeviceVector {
    let count: Int
    private let memory: AlignedMemory

    init(_ view: TensorView) throws(DeviceError) {
        guard view.rowCount == 1 else {
            throw DeviceError(.shapeMismatch, place: "cpu", "expected a vector, got \(view.rowCount) rows")
        }
        try view.checkKernels()
        count = view.columnCount
        memory = try AlignedMemory(byteCount: count * MemoryLayout<Float>.size, for: "vector")
        if let source = view.bytes.baseAddress {
            shard_decode_row(view.type.rawValue, source, view.columnCount, memory.floats)
        }
    }

    var floats: UnsafePointer<Float> { UnsafePointer(memory.floats) }
}

/// Frequencies, and the table of angles of the rows that were last asked for.
final class CPURotary: DeviceRotary {
    let parameters: RotaryParameters
    let pairCount: Int
    private var cosines: [Float] = []
    private var sines: [Float] = []
    private var tableVersion: UInt64 = 0

    init(_ parameters: RotaryParameters) {
        self.parameters = parameters
        pairCount = parameters.frequencies.count
    }

    /// Cosines and sines `[rows, pairCount]` of a placement's positions; computed once for each upload of it.
    func withTable(
        of placement: CPUPlacement, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) -> Void
    ) {
        if tableVersion != placement.version {
            let count = placement.rows.rowCount * pairCount
            if cosines.count < count {
                cosines = Array(repeating: 0, count: placement.rowCapacity * pairCount)
                sines = cosines
            }
            cosines.withUnsafeMutableBufferPointer { cosines in
                sines.withUnsafeMutableBufferPointer { sines in
                    guard let cosine = cosines.baseAddress, let sine = sines.baseAddress else { return }
                    placement.withPositions { positions, count in
                        shard_rotary_table(
                            positions, count, parameters.frequencies, pairCount, parameters.magnitude, cosine, sine)
                    }
                }
            }
            tableVersion = placement.version
        }
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                if let cosine = cosines.baseAddress, let sine = sines.baseAddress { body(cosine, sine) }
            }
        }
    }
}

/// Cache blocks of one layer, one after the other; in each, one area a key/value head (layout: CKernels).
final class CPUCache: DeviceCache {
    let shape: CacheShape
    let blockCount: Int
    let headBytes: Int
    let kernelType: UInt32
    private let memory: AlignedMemory

    init(_ shape: CacheShape, blockCount: Int) throws(DeviceError) {
        self.shape = shape
        self.blockCount = blockCount
        switch shape.elementType {
        case .f32: kernelType = UInt32(SHARD_TYPE_F32)
        case .f16: kernelType = UInt32(SHARD_TYPE_F16)
        case .q8_0: kernelType = UInt32(SHARD_TYPE_Q8_0)
        default:
            throw DeviceError(
                .unsupported, place: "KV cache", "expected type f32, f16 or q8_0, got \(shape.elementType.name)")
        }
        headBytes = shard_cache_head_bytes(kernelType, shape.headDim)
        let (bytes, overflow) = blockCount.multipliedReportingOverflow(by: headBytes * shape.keyValueHeadCount)
        guard !overflow, bytes >= 0 else {
            throw DeviceError(.outOfMemory, place: "KV cache", "\(blockCount) blocks are too many")
        }
        memory = try AlignedMemory(byteCount: bytes, for: "KV cache")
    }

    private var blockBytes: Int { headBytes * shape.keyValueHeadCount }

    func block(_ index: Int) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && index < blockCount, "a block table names blocks of its cache")
        return memory.base + index * blockBytes
    }

    func copy(_ source: Int, to target: Int) {
        block(target).copyMemory(from: block(source), byteCount: blockBytes)
    }
}

final class CPUPlacement: DevicePlacement {
    let rowCapacity: Int
    private(set) var rows = RowPlacement()
    /// Differs for each upload to any placement of the device.
    private(set) var version: UInt64 = 0

    init(rowCapacity: Int) { self.rowCapacity = rowCapacity }

    /// Copies into memory of its own: sharing the caller's would make the caller allocate for its next step.
    func set(_ rows: RowPlacement, version: UInt64) {
        precondition(rows.rowCount <= rowCapacity, "a placement has room for a step's rows")
        self.rows.removeAll()
        self.rows.positions.append(contentsOf: rows.positions)
        self.rows.tableStarts.append(contentsOf: rows.tableStarts)
        self.rows.blocks.append(contentsOf: rows.blocks)
        self.version = version
    }

    /// The rows' positions as kernels take them.
    func withPositions(_ body: (UnsafePointer<UInt32>, Int) -> Void) {
        rows.positions.withUnsafeBufferPointer { positions in
            // Safe: both are 32 bits, and a position is never negative.
            positions.withMemoryRebound(to: UInt32.self) { positions in
                if let first = positions.baseAddress { body(first, positions.count) }
            }
        }
    }
}

extension TensorView {
    /// Refuses types and widths that the kernels do not compute with.
    func checkKernels() throws(DeviceError) {
        guard shard_type_is_supported(type.rawValue) else {
            let known = ElementType.allCases.filter { shard_type_is_supported($0.rawValue) }.map(\.name)
            throw DeviceError(
                .unsupported, place: "cpu",
                "expected tensors of type \(known.joined(separator: ", ")), got \(type.name)")
        }
        guard shard_columns_are_whole(type.rawValue, columnCount) else {
            throw DeviceError(
                .shapeMismatch, place: "cpu", "expected rows of whole \(type.name) blocks, got \(columnCount) columns")
        }
    }
}
