import Devices
import ModelFiles
import Streaming

/// A matrix and where its products go, `[rows, outputCount]`.
struct WeightProjection {
    let matrix: WeightMatrix
    let output: any DeviceBuffer
    /// Of input and output; nil for all.
    let rows: Range<Int>?

    init(_ matrix: WeightMatrix, into output: any DeviceBuffer, rows: Range<Int>? = nil) {
        self.matrix = matrix
        self.output = output
        self.rows = rows
    }
}

/// Multiplies rows with matrices that were added to it, in memory that is kept from call to call: arrays made for each
/// would be allocated for each.
struct ProjectionList {
    private var projections: [Projection] = []
    /// Those of which some slices are read.
    private var streamed: [WeightProjection] = []

    mutating func add(_ projection: WeightProjection) {
        for slice in projection.matrix.resident { add(slice.matrix, slice.firstRow, of: projection) }
        if projection.matrix.stream != nil { streamed.append(projection) }
    }

    /// First what is on the device, all at once; then what is read, slice by slice. The list is empty afterwards.
    mutating func run(
        on device: any Device, _ input: any DeviceBuffer, rowCount: Int
    ) throws(InferenceError) {
        // Emptied at once, whatever happens: what they hold may be unloaded before the next call.
        defer {
            projections.removeAll(keepingCapacity: true)
            streamed.removeAll(keepingCapacity: true)
        }
        var isContinued = !projections.isEmpty
        if isContinued {
            device.project(input, rowCount: rowCount, through: projections, isContinued: false)
        }
        for projection in streamed {
            guard let stream = projection.matrix.stream else { continue }
            for slice in projection.matrix.streamed {
                let bytes = try readingWeights { () throws(ModelFileError) in try stream.take(slice.piece) }
                defer { stream.release() }
                projections.removeAll(keepingCapacity: true)
                add(try slice.matrix(bytes, on: device), slice.firstRow, of: projection)
                device.project(input, rowCount: rowCount, through: projections, isContinued: isContinued)
                try onDevice("weights") { () throws(DeviceError) in try device.synchronize() }
                isContinued = true
            }
        }
    }

    private mutating func add(_ matrix: any DeviceMatrix, _ firstRow: Int, of projection: WeightProjection) {
        projections.append(
            Projection(matrix, into: projection.output, firstColumn: firstRow, rows: projection.rows))
    }
}
