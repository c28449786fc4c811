import ArgumentParser
import Devices
import ShardKit
import Terminal

struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List what can compute on this machine.",
        discussion: """
            CUDA devices are found through NVIDIA's driver where there is one. They are listed only: this build
            computes on the CPU. SHARD_CPU chooses other kernels than the fastest, for comparisons.

            Examples:
              shard devices
              shard devices --measure
              shard devices --json
            """)

    @Flag(help: "Also measure how fast memory is read, which takes about a second.")
    var measure = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var program: ProgramOptions

    func run() async throws {
        program.startLogging()
        let isMeasuring = measure
        let inventory = await OwnThread.run { _ in DeviceInventory.detect(isMeasuring: isMeasuring) }
        if let cpu = inventory.devices.last, cpu.id == "cpu", let reason = cpu.unusableReason {
            throw ProgramError(.configuration, reason)
        }
        if json {
            return StandardOutput.write(try JSONText.line(DevicesReport(inventory)))
        }
        var table = TextTable([("DEVICE", .left), ("NAME", .left), ("MEMORY", .right), ("FREE", .right), ("", .left)])
        for device in inventory.devices {
            table.add([
                device.id, device.name, ByteText.text(device.memoryTotalBytes),
                device.memoryAvailableBytes.map(ByteText.text) ?? "", details(device),
            ])
        }
        for line in table.lines { StandardOutput.write(line) }
        if !program.quiet { StandardError.write(inventory.notes) }
    }

    private func details(_ device: DetectedDevice) -> String {
        var parts: [String] = []
        switch device.kind {
        case .cpu(let processor):
            parts.append(processor.coreCount == 1 ? "1 core" : "\(processor.coreCount) cores")
            let others = processor.instructionSets.filter { $0 != processor.kernels }.joined(separator: ", ")
            parts.append("uses \(processor.kernels)" + (others.isEmpty ? "" : " (also has \(others))"))
            if let speed = processor.readBytesPerSecond {
                parts.append("reads \(ByteText.text(Int(clamping: Int64(speed))))/s")
            }
        case .cuda(let driver): parts.append(driver)
        }
        if let reason = device.unusableReason { parts.append(reason) }
        return parts.joined(separator: "; ")
    }
}

/// The object that `--json` prints.
private struct DevicesReport: Encodable {
    struct Device: Encodable {
        var device: String
        var name: String
        var memory_bytes: Int
        var memory_available_bytes: Int?
        var cores: Int?
        var instruction_sets: [String]?
        /// The one among them that is used.
        var kernels: String?
        var read_bytes_per_second: Double?
        var driver: String?
        var usable: Bool
        var reason: String?

        private enum CodingKeys: String, CodingKey {
            case device, name, memory_bytes, memory_available_bytes, cores, instruction_sets, kernels
            case read_bytes_per_second, driver, usable, reason
        }

        /// As the synthesized one, but `reason` is there always: null says that the device is usable.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(device, forKey: .device)
            try container.encode(name, forKey: .name)
            try container.encode(memory_bytes, forKey: .memory_bytes)
            try container.encodeIfPresent(memory_available_bytes, forKey: .memory_available_bytes)
            try container.encodeIfPresent(cores, forKey: .cores)
            try container.encodeIfPresent(instruction_sets, forKey: .instruction_sets)
            try container.encodeIfPresent(kernels, forKey: .kernels)
            try container.encodeIfPresent(read_bytes_per_second, forKey: .read_bytes_per_second)
            try container.encodeIfPresent(driver, forKey: .driver)
            try container.encode(usable, forKey: .usable)
            try container.encode(reason, forKey: .reason)
        }
    }

    var devices: [Device]
    var notes: [String]

    init(_ inventory: DeviceInventory) {
        notes = inventory.notes
        devices = inventory.devices.map { device in
            var report = Device(
                device: device.id, name: device.name, memory_bytes: device.memoryTotalBytes,
                memory_available_bytes: device.memoryAvailableBytes, usable: device.isUsable,
                reason: device.unusableReason)
            switch device.kind {
            case .cpu(let processor):
                report.cores = processor.coreCount
                report.instruction_sets = processor.instructionSets
                report.kernels = processor.kernels
                report.read_bytes_per_second = processor.readBytesPerSecond
            case .cuda(let driver): report.driver = driver
            }
            return report
        }
    }
}
