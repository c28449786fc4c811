import Devices

/// The devices of this machine, fastest kind first: `["cuda:0", "cuda:1", "cpu"]`.
///
/// What is listed is what the machine has; in this build only `cpu` computes, and runners say so for others.
public func detectAvailableDevices() -> [String] {
    DeviceInventory.detect().devices.map(\.id)
}

/// Deals shards to devices in turn: shard i goes to device i mod the number of devices.
///
/// - Parameters:
///   - count: shards; none give an empty result.
///   - devices: names as ``detectAvailableDevices()`` gives them; none give an empty result.
/// - Returns: device by shard index.
public func assignShards(count: Int, to devices: [String]) -> [Int: String] {
    let assigned = assignShardsInTurn(count: count, to: devices)
    return Dictionary(uniqueKeysWithValues: zip(assigned.indices, assigned))
}

/// Devices that compute in this build.
func computingDevices() -> [String] {
    DeviceInventory.detect().devices.filter(\.isUsable).map(\.id)
}

/// Refuses devices that cannot compute in this build, by name.
func requireUsable(_ device: String) throws(ShardKitError) {
    do {
        try DetectedDevice.requireUsable(device)
    } catch {
        throw ShardKitError(.request, "\(error)")
    }
}
