import Devices

/// The activations of a mixture of experts in one step.
final class ExpertBuffers {
    /// Of the router, `[rows, experts]`; and the same on the host.
    let logits: any DeviceBuffer
    let hostLogits: UnsafeMutableBufferPointer<Float>
    /// What experts read, then what they give, `[rows × used experts, hiddenSize]`.
    let states: any DeviceBuffer
    /// `[rows × used experts, feedForwardSize]`
    let gate: any DeviceBuffer
    let up: any DeviceBuffer
    var routing: ExpertRouting

    init(_ sizes: ExpertSizes, rowsMax: Int, device: any Device) throws(InferenceError) {
        let make = { (rows: Int, columns: Int) throws(InferenceError) -> any DeviceBuffer in
            try onDevice("activations of experts") { () throws(DeviceError) in
                try device.makeBuffer(rowCapacity: rows, columnCount: columns)
            }
        }
        logits = try make(rowsMax, sizes.count)
        states = try make(rowsMax * sizes.usedCount, sizes.hiddenSize)
        gate = try make(rowsMax * sizes.usedCount, sizes.feedForwardSize)
        up = try make(rowsMax * sizes.usedCount, sizes.feedForwardSize)
        hostLogits = .allocate(capacity: rowsMax * sizes.count)
        routing = ExpertRouting(expertCount: sizes.count, usedCount: sizes.usedCount)
    }

    deinit { hostLogits.deallocate() }
}
