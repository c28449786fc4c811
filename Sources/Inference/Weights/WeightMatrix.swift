import CKernels
import Devices
import Streaming
import Tensors

/// A weight matrix as a residency hands it out, in slices of its rows: some on the device, some read when their turn
/// comes.
package struct WeightMatrix {
    let outputCount: Int
    let resident: [ResidentSlice]
    /// In the order in which their pieces are read.
    let streamed: [StreamedSlice]
    /// Where those come from.
    let stream: PieceStream?

    /// All of it on the device.
    init(_ matrix: any DeviceMatrix) {
        outputCount = matrix.outputCount
        resident = [ResidentSlice(firstRow: 0, matrix: matrix)]
        streamed = []
        stream = nil
    }

    init(outputCount: Int, resident: [ResidentSlice], streamed: [StreamedSlice], stream: PieceStream?) {
        self.outputCount = outputCount
        self.resident = resident
        self.streamed = streamed
        self.stream = stream
    }
}

struct ResidentSlice {
    let firstRow: Int
    let matrix: any DeviceMatrix
}

final class StreamedSlice {
    let firstRow: Int
    private let content: SliceContent
    /// On the device already.
    let bias: (any DeviceVector)?
    /// Index in the stream, and in the cache.
    let piece: Int
    /// Where it may stay once it was read; nil for one that is needed in every step.
    private let cache: ExpertCache?
    /// Whether its checksums were compared: once is enough, as the file is the same as long as its times are.
    private var isChecked = false

    init(
        firstRow: Int, content: SliceContent, bias: (any DeviceVector)?, piece: Int, cache: ExpertCache? = nil
    ) {
        self.firstRow = firstRow
        self.content = content
        self.bias = bias
        self.piece = piece
        self.cache = cache
    }

    /// That are read for it.
    var byteCount: Int { content.byteCount }

    /// Over bytes that were read, for products before they are given back.
    func matrix(_ bytes: UnsafeRawBufferPointer, on device: any Device) throws(InferenceError) -> any DeviceMatrix {
        if !isChecked { try content.check(bytes) }
        isChecked = true
        return try onDevice(content.name) { () throws(DeviceError) in
            if let cache, let room = cache.room(for: piece) {
                let matrix = try content.matrix(bytes, packedInto: room.bytes, on: device, bias: bias)
                cache.keep(piece, as: matrix, in: room)
                return matrix
            }
            switch content.view(bytes) {
            case .rows(let view): return try device.makePassingMatrix(view, bias: bias)
            case .packed(let view): return try device.makePassingMatrix(view, bias: bias)
            }
        }
    }
}

extension SliceContent {
    /// - Parameter target: of as many bytes as the packed rows have; must stay as long as the matrix does.
    fileprivate func matrix(
        _ bytes: UnsafeRawBufferPointer, packedInto target: UnsafeMutableRawBufferPointer, on device: any Device,
        bias: (any DeviceVector)?
    ) throws(DeviceError) -> any DeviceMatrix {
        switch view(bytes) {
        case .rows(let view): try device.pack(view, into: target)
        case .packed(let view): target.copyMemory(from: view.bytes)
        }
        return try device.makePassingMatrix(
            PackedView(
                type: type, rowCount: rowCount, columnCount: columnCount, bytes: UnsafeRawBufferPointer(target)),
            bias: bias)
    }
}

/// What the bytes of a slice are.
struct SliceContent {
    /// Of the matrix, for errors.
    let name: String
    let type: ElementType
    let rowCount: Int
    let columnCount: Int
    /// CRC32C of each of its tiles, where they are packed; nil for rows as the model's file has them.
    let checks: ArraySlice<UInt32>?
    /// That are read for it.
    let byteCount: Int
    /// Of a tile that is packed.
    let tileBytes: Int

    enum View {
        case rows(TensorView)
        case packed(PackedView)
    }

    func view(_ bytes: UnsafeRawBufferPointer) -> View {
        if checks == nil {
            return .rows(TensorView(type: type, rowCount: rowCount, columnCount: columnCount, bytes: bytes))
        }
        return .packed(PackedView(type: type, rowCount: rowCount, columnCount: columnCount, bytes: bytes))
    }

    /// - Throws: ``InferenceError`` `.weights` for packed tiles that are not what was written.
    func check(_ bytes: UnsafeRawBufferPointer) throws(InferenceError) {
        guard let checks, let base = bytes.baseAddress else { return }
        for (tile, check) in checks.enumerated()
        where shard_crc32c(0, base + tile * tileBytes, tileBytes) != check {
            throw InferenceError(
                .weights, place: name,
                "expected its packed copy as it was written, got other bytes; clear it with: shard cache clear --cache DIR"
            )
        }
    }
}
