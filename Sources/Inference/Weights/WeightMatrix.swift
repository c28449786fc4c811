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

struct StreamedSlice {
    let firstRow: Int
    let rowCount: Int
    let columnCount: Int
    let type: ElementType
    /// On the device already.
    let bias: (any DeviceVector)?
    /// Index in the stream.
    let piece: Int
}
