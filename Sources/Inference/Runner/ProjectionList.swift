import Devices

/// The matrices of one call of ``Device/project(_:rowCount:through:)``, in memory that is kept from call to call: an array
/// made for each would be allocated for each.
struct ProjectionList {
    private var projections: [Projection] = []

    mutating func run(
        on device: any Device, _ input: any DeviceBuffer, rowCount: Int, _ first: Projection,
        _ second: Projection? = nil, _ third: Projection? = nil
    ) {
        projections.append(first)
        if let second { projections.append(second) }
        if let third { projections.append(third) }
        device.project(input, rowCount: rowCount, through: projections)
        // Emptied at once: what it holds may be unloaded before the next call.
        projections.removeAll(keepingCapacity: true)
    }
}
