import Tensors

/// Measures at what rate a processor multiplies weights with rows, as the layers of a model would.
package struct ProductMeter {
    private let device: CPUDevice
    private let bytesMax: Int

    /// As matrices of models have it.
    private static let inputCount = 2048
    private static let outputCount = 8192
    /// More than caches hold, read once for a few rows; with many rows computing takes the time, and less will do.
    private static let bytesWanted = 64 << 20
    private static let bytesOfManyRows = 24 << 20
    private static let manyRows = 16
    private static let runCount = 3

    /// - Parameter bytesMax: memory that it may take at most, about.
    package init(_ options: CPUDeviceOptions, bytesMax: Int = .max) throws(DeviceError) {
        device = try CPUDevice(options)
        self.bytesMax = bytesMax
    }

    /// Bytes of weights a second with each count of rows, of all threads together; the median of a few runs. nil where a
    /// type has no kernels, or there is too little memory.
    ///
    /// - Parameter rowCounts: ascending.
    package func measure(_ type: ElementType, rowCounts: [Int]) -> [Double]? {
        guard let matrixBytes = type.byteCount(elementCount: Self.inputCount * Self.outputCount),
            let rowsMax = rowCounts.last, 3 * matrixBytes <= bytesMax,
            let matrices = try? matrices(type, matrixBytes),
            let input = try? device.makeBuffer(rowCapacity: rowsMax, columnCount: Self.inputCount),
            let output = try? device.makeBuffer(rowCapacity: rowsMax, columnCount: Self.outputCount)
        else { return nil }
        let rows = [Float](repeating: 0.5, count: rowsMax * Self.inputCount)
        rows.withUnsafeBytes { device.upload($0, rowCount: rowsMax, to: input) }
        return rowCounts.map { count in
            let bytes = count < Self.manyRows ? Self.bytesWanted : Self.bytesOfManyRows
            let used = matrices.prefix(max(1, bytes / matrixBytes))
            // The first run wakes threads and clocks.
            let times = (0...Self.runCount).map { _ in
                ContinuousClock().measure {
                    for matrix in used {
                        device.project(
                            input, rowCount: count, through: [Projection(matrix, into: output)],
                            isContinued: false)
                    }
                }
            }
            let median = times.dropFirst().sorted()[Self.runCount / 2]
            return Double(used.count * matrixBytes) / max(median / .seconds(1), 1e-9)
        }
    }

    /// As many as are wanted, or as there is memory for; all alike.
    private func matrices(_ type: ElementType, _ matrixBytes: Int) throws -> [any DeviceMatrix] {
        let count = max(1, min(Self.bytesWanted, bytesMax - 2 * matrixBytes) / matrixBytes)
        // A scale that is an ordinary number in every type.
        let source = [UInt8](repeating: 0x31, count: matrixBytes)
        var packed = [UInt8](
            repeating: 0,
            count: PackedView.byteCount(of: type, rowCount: Self.outputCount, columnCount: Self.inputCount))
        try source.withUnsafeBytes { bytes in
            let view = TensorView(type: type, rowCount: Self.outputCount, columnCount: Self.inputCount, bytes: bytes)
            try packed.withUnsafeMutableBytes { try device.pack(view, into: $0) }
        }
        try device.reserveWeights(count * packed.count)
        return try packed.withUnsafeBytes { bytes in
            let view = PackedView(type: type, rowCount: Self.outputCount, columnCount: Self.inputCount, bytes: bytes)
            return try (0..<count).map { _ in try device.makeMatrix(view, bias: nil) }
        }
    }
}
