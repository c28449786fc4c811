import CKernels

/// Something on this machine that computes, or could with another build.
package struct DetectedDevice: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case cpu(Processor)
        case cuda(driver: String)
    }

    /// What only a CPU has.
    package struct Processor: Sendable, Hashable {
        /// Cores that this process may use: its affinity and its cgroup's quota.
        package var coreCount: Int
        /// Kernels that this machine can run, from the plainest on.
        package var instructionSets: [String]
        /// The one that is used: the fastest, or what `SHARD_CPU` names.
        package var kernels: String
        /// Bytes a second that all cores together read from memory; nil until measured.
        package var readBytesPerSecond: Double?
    }

    /// `cpu`, `cuda:0`: as arguments and cluster.yaml name it.
    package var id: String
    /// As its maker names it.
    package var name: String
    package var kind: Kind
    package var memoryTotalBytes: Int
    /// Nil where nobody says.
    package var memoryAvailableBytes: Int?
    /// Why it cannot compute in this build; nil where it can.
    package var unusableReason: String?

    package var isUsable: Bool { unusableReason == nil }
}

/// All devices of this machine.
package struct DeviceInventory: Sendable, Hashable {
    /// Fastest kind first: `cuda:0`, …, `cpu`.
    package var devices: [DetectedDevice]
    /// Drivers that are there but do not work, one line each.
    package var notes: [String]

    /// Looks at this machine.
    ///
    /// - Parameters:
    ///   - cudaLibrary: Name or path of the driver's library; absent or broken ones are no error.
    ///   - isMeasuring: Also reads memory at full speed for about a second.
    package static func detect(
        cudaLibrary: String = CUDADriver.libraryName, machine: MachineFiles = MachineFiles(), isMeasuring: Bool = false
    ) -> DeviceInventory {
        var inventory = DeviceInventory(devices: [], notes: [])
        switch CUDADriver.load(cudaLibrary) {
        case .absent: break
        case .broken(let reason): inventory.notes.append("cuda: \(reason)")
        case .working(let driver): inventory.devices += driver.devices()
        }
        inventory.devices.append(cpu(machine, isMeasuring: isMeasuring))
        return inventory
    }

    private static func cpu(_ machine: MachineFiles, isMeasuring: Bool) -> DetectedDevice {
        let memory = machine.memory
        let chosen = CPUDeviceOptions().withEnvironment().kernels
        var unusableReason: String?
        do { _ = try CPUDeviceOptions.table(chosen) } catch { unusableReason = error.description }
        var processor = DetectedDevice.Processor(
            coreCount: machine.coreCount, instructionSets: CPUDeviceOptions.availableKernels,
            kernels: chosen ?? String(cString: shard_kernels_best().pointee.name))
        if isMeasuring {
            processor.readBytesPerSecond = MemoryBandwidth.measure(
                threadCount: processor.coreCount, bytesMax: memory.availableBytes / 4)
        }
        return DetectedDevice(
            id: "cpu", name: machine.processorName, kind: .cpu(processor), memoryTotalBytes: memory.totalBytes,
            memoryAvailableBytes: memory.availableBytes, unusableReason: unusableReason)
    }
}

extension DetectedDevice {
    /// Checks that a device of this name can compute in this build.
    package static func requireUsable(_ id: String) throws(DeviceError) {
        if id == "cpu" { return }
        let number = id.hasPrefix("cuda:") ? Int(id.dropFirst(5)) : nil
        if let number, id == "cuda:\(number)", number >= 0 {
            throw DeviceError(
                .unavailable, place: id,
                "expected a device that can compute, got one that is \(CUDADriver.unusableReason); use cpu")
        }
        throw DeviceError(
            .unsupported, place: "device", "expected cpu or cuda:N, got \"\(id)\"; shard devices lists what is here")
    }
}

/// Deals shards to devices in turn: shard i to device i mod n.
///
/// - Returns: The device of each shard, by ascending shard; empty without devices.
package func assignShardsInTurn(count: Int, to devices: [String]) -> [String] {
    devices.isEmpty ? [] : (0..<max(0, count)).map { devices[$0 % devices.count] }
}
