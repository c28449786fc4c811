import Devices
import ModelFiles
import Streaming

/// A matrix and where its products go, `[rows, outputCount]`.
struct WeightProjection {
    let matrix: WeightMatrix
    let output: any DeviceBuffer

    init(_ matrix: WeightMatrix, into output: any DeviceBuffer) {
        self.matrix = matrix
        self.output = output
    }
}

/// Multiplies rows with matrices, in memory that is kept from call to call: an array made for each would be allocated
/// for each.
struct ProjectionList {
    private var projections: [Projection] = []

    /// First what is on the device, all at once; then what is read, slice by slice.
    mutating func run(
        on device: any Device, _ input: any DeviceBuffer, rowCount: Int, _ first: WeightProjection,
        _ second: WeightProjection? = nil, _ third: WeightProjection? = nil
    ) throws(InferenceError) {
        // Emptied at once, whatever happens: what it holds may be unloaded before the next call.
        defer { projections.removeAll(keepingCapacity: true) }
        addResident(first)
        if let second { addResident(second) }
        if let third { addResident(third) }
        var isContinued = !projections.isEmpty
        if isContinued {
            device.project(input, rowCount: rowCount, through: projections, isContinued: false)
        }
        try runStreamed(first, on: device, input, rowCount: rowCount, &isContinued)
        if let second { try runStreamed(second, on: device, input, rowCount: rowCount, &isContinued) }
        if let third { try runStreamed(third, on: device, input, rowCount: rowCount, &isContinued) }
    }

    private mutating func addResident(_ projection: WeightProjection) {
        for slice in projection.matrix.resident {
            projections.append(
                Projection(slice.matrix, into: projection.output, firstColumn: slice.firstRow))
        }
    }

    private mutating func runStreamed(
        _ projection: WeightProjection, on device: any Device, _ input: any DeviceBuffer, rowCount: Int,
        _ isContinued: inout Bool
    ) throws(InferenceError) {
        guard let stream = projection.matrix.stream else { return }
        for slice in projection.matrix.streamed {
            let bytes = try readingWeights { () throws(ModelFileError) in try stream.take(slice.piece) }
            defer { stream.release() }
            let matrix = try slice.matrix(bytes, on: device)
            projections.removeAll(keepingCapacity: true)
            projections.append(Projection(matrix, into: projection.output, firstColumn: slice.firstRow))
            device.project(input, rowCount: rowCount, through: projections, isContinued: isContinued)
            try onDevice("weights") { () throws(DeviceError) in try device.synchronize() }
            isContinued = true
        }
    }
}
