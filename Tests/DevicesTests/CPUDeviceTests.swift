import Tensors
import Testing

@testable import Devices

@Suite("CPU device")
struct CPUDeviceTests {
    @Test("an unknown instruction set is an error that lists the choices")
    func unknownKernels() throws {
        let error = try #require(throws: DeviceError.self) {
            _ = try CPUDevice(CPUDeviceOptions(kernels: "abacus"))
        }
        #expect(error.code == .unsupported)
        #expect(error.description.hasPrefix("SHARD_CPU: expected one of scalar"))
        #expect(error.description.hasSuffix("there is no abacus"))
    }

    @Test("every available instruction set can be chosen by name", arguments: CPUDeviceOptions.availableKernels)
    func knownKernels(name: String) throws {
        #expect(try CPUDevice(CPUDeviceOptions(kernels: name)).kernelsName == name)
    }

    @Test("thread counts are bounded", arguments: [0, -1, 5000])
    func threadCounts(count: Int) {
        #expect(throws: DeviceError.self) { _ = try CPUDevice(CPUDeviceOptions(threads: count)) }
    }

    @Test("a matrix multiplies rows and adds its bias", arguments: [1, 2])
    func project(threads: Int) throws {
        let device = try CPUDevice(CPUDeviceOptions(threads: threads))
        // 2 × row index + column index, 37 outputs of 3 inputs.
        let weights: [Float] = (0..<37).flatMap { row in (0..<3).map { Float(2 * row + $0) } }
        let bias: [Float] = (0..<37).map { Float(100 * $0) }
        let matrix = try weights.withView(rows: 37) { weights in
            try bias.withView(rows: 1) { try device.makeMatrix(weights, bias: $0) { _ in } }
        }
        let input = try device.makeBuffer(rowCapacity: 2, columnCount: 3)
        let output = try device.makeBuffer(rowCapacity: 2, columnCount: 37)
        let rows: [Float] = [1, 2, 3, -1, 0, 1]
        rows.withUnsafeBytes { device.upload($0, rowCount: 2, to: input) }
        device.project(input, rowCount: 2, through: [Projection(matrix, into: output)], isContinued: false)
        let got = try device.values(of: output, rowCount: 2)
        let expected: [Float] =
            (0..<37).map { Float(12 * $0 + 8 + 100 * $0) } + (0..<37).map { Float(2 + 100 * $0) }
        #expect(got == expected)
    }

    @Test("attention over one position returns its value; equal scores average")
    func attend() throws {
        let device = try CPUDevice(CPUDeviceOptions())
        let cache = try device.makeCache(
            CacheShape(keyValueHeadCount: 1, headDim: 2, elementType: .f32), blockCount: 3)
        let placement = try device.makePlacement(rowCapacity: 2)
        var rows = RowPlacement()
        rows.positions = [0, 1]
        rows.tableStarts = [0, 0]
        rows.blocks = [2]
        device.upload(rows, to: placement)
        let keys = try device.buffer([0, 0, 0, 0], columns: 2)
        let values = try device.buffer([1, 2, 3, 6], columns: 2)
        let queries = try device.buffer([1, 1, 5, 5, 2, 2, 7, 7], columns: 4)
        let output = try device.makeBuffer(rowCapacity: 2, columnCount: 4)
        device.store(keys: keys, values: values, into: cache, at: placement)
        device.attend(
            queries: queries, over: cache, AttentionParameters(headCount: 2, scale: 1), at: placement, into: output)
        #expect(try device.values(of: output, rowCount: 2) == [1, 2, 1, 2, 2, 4, 2, 4])
    }

    @Test("a type without kernels is an error that lists those with")
    func unsupportedType() throws {
        let device = try CPUDevice(CPUDeviceOptions())
        let bytes = [UInt8](repeating: 0, count: 292)
        let error = try #require(throws: DeviceError.self) {
            _ = try bytes.withUnsafeBytes {
                try device.makeMatrix(TensorView(type: .q8_K, rowCount: 1, columnCount: 256, bytes: $0), bias: nil) {
                    _ in
                }
            }
        }
        #expect(error.description.hasPrefix("cpu: expected tensors of type f32, f16, q4_0, "))
        #expect(error.description.hasSuffix(", mxfp4, got q8_k"))
    }

    @Test("a cache of an unknown type is refused")
    func unsupportedCache() throws {
        let device = try CPUDevice(CPUDeviceOptions())
        #expect(throws: DeviceError.self) {
            _ = try device.makeCache(
                CacheShape(keyValueHeadCount: 1, headDim: 32, elementType: .q4_0), blockCount: 1)
        }
    }
}

extension CPUDevice {
    fileprivate func buffer(_ values: [Float], columns: Int) throws -> any DeviceBuffer {
        let buffer = try makeBuffer(rowCapacity: values.count / columns, columnCount: columns)
        values.withUnsafeBytes { upload($0, rowCount: values.count / columns, to: buffer) }
        return buffer
    }

    fileprivate func values(of buffer: any DeviceBuffer, rowCount: Int) throws -> [Float] {
        var values = [Float](repeating: 0, count: rowCount * buffer.columnCount)
        try values.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { try download(0..<rowCount, of: buffer, to: base) }
        }
        return values
    }
}

extension [Float] {
    fileprivate func withView<Result>(rows: Int, _ body: (TensorView) throws -> Result) rethrows -> Result {
        try withUnsafeBytes {
            try body(TensorView(type: .f32, rowCount: rows, columnCount: count / rows, bytes: $0))
        }
    }
}
