/// Activations on a device: `[rowCapacity, columnCount]`, f32, row-major.
package protocol DeviceBuffer: AnyObject {
    var rowCapacity: Int { get }
    var columnCount: Int { get }
}

/// A vector of weights on a device, f32.
package protocol DeviceVector: AnyObject {
    var count: Int { get }
}

/// A weight matrix `[outputCount, inputCount]` on a device, with its bias where it has one.
package protocol DeviceMatrix: AnyObject {
    var outputCount: Int { get }
    var inputCount: Int { get }
    /// Memory that it takes on the device.
    var bytes: Int { get }
}

/// Frequencies of rotary positions on a device.
package protocol DeviceRotary: AnyObject {}

/// Keys and values of one layer on a device, in blocks.
package protocol DeviceCache: AnyObject {
    var shape: CacheShape { get }
    var blockCount: Int { get }
}

/// Where the rows of a step stand, on a device.
package protocol DevicePlacement: AnyObject {
    var rowCapacity: Int { get }
}
