import Devices
import Foundation
import Sharding
import Synchronization
import Tensors
import Threads

/// How fast a worker computes with its threads, and how fast its machine reads memory: measured, and remembered for that
/// machine, instruction set and count of threads.
struct WorkerSpeed {
    private let cpu: CPUDeviceOptions
    private let bytesMax: Int
    private let machine: MachineFiles
    private let memory = RememberedMeasurements("speeds")

    /// Less memory than this is not measured with.
    private static let bytesMin = 128 << 20
    private static let machineReadBytes = 256 << 20

    init(_ configuration: WorkerConfiguration, machine: MachineFiles = MachineFiles()) {
        cpu = configuration.cpu
        self.machine = machine
        bytesMax = min(configuration.memoryBytesMax ?? .max, machine.memory.availableBytes) / 4
    }

    /// As it is written down.
    private struct Record: Codable {
        /// By the numbers of types in GGUF.
        var bytesPerSecond: [UInt32: [Double]]
        var machineBytesPerSecond: Double
    }

    /// nil where there is too little memory to measure with. Takes about a second, a few milliseconds where it is known.
    func known() -> ComputeSpeed? {
        guard let kernels = cpu.kernelsName else { return nil }
        let name =
            ([machine.id, ShardVersion.current, kernels, "\(cpu.threads)"] + cpu.cpus.map(String.init)).joined(
                separator: "-"
            ).filter { $0.isLetter || $0.isNumber || ".-".contains($0) }
        if let known = memory.recall(name).flatMap(Self.speed) { return known }
        guard bytesMax >= Self.bytesMin else { return nil }
        // Where there are no other cores to be seen, nothing is known of the machine.
        let machineRate =
            machine.coreCount > cpu.threads
            ? MemoryBandwidth.measure(
                threadCount: machine.coreCount, bytesMax: min(Self.machineReadBytes, bytesMax)) : nil
        guard var measured = MeasuringTurn.take({ measure() }) else { return nil }
        measured.machineBytesPerSecond = machineRate ?? 0
        if let text = try? JSONEncoder().encode(Self.record(measured)) {
            memory.remember(String(decoding: text, as: UTF8.self), name)
        }
        return measured
    }

    /// On a thread of its own: the meter pins the one that it runs on.
    private func measure() -> ComputeSpeed? {
        let found = FoundSpeed()
        let thread = OwnedThread(name: "measure") { [cpu, bytesMax] in
            guard let meter = try? ProductMeter(cpu, bytesMax: bytesMax) else { return }
            var rates: [ElementType: [Double]] = [:]
            for type in ComputeSpeed.types { rates[type] = meter.measure(type, rowCounts: ComputeSpeed.rowCounts) }
            let speed = ComputeSpeed(bytesPerSecond: rates)
            found.speed.withLock { $0 = speed }
        }
        thread.join()
        return found.speed.withLock { $0 }
    }

    private final class FoundSpeed: Sendable {
        let speed = Mutex<ComputeSpeed?>(nil)
    }

    private static func record(_ speed: ComputeSpeed) -> Record {
        Record(
            bytesPerSecond: Dictionary(uniqueKeysWithValues: speed.bytesPerSecond.map { ($0.key.rawValue, $0.value) }),
            machineBytesPerSecond: speed.machineBytesPerSecond)
    }

    private static func speed(_ text: String) -> ComputeSpeed? {
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(text.utf8)) else { return nil }
        var rates: [ElementType: [Double]] = [:]
        for (number, rate) in record.bytesPerSecond {
            guard let type = ElementType(rawValue: number) else { return nil }
            rates[type] = rate
        }
        return ComputeSpeed(
            bytesPerSecond: rates, machineBytesPerSecond: record.machineBytesPerSecond)
    }
}
