import Devices
import Foundation
import Sharding
import Tensors

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
        var machineShare: Double
    }

    /// nil where there is too little memory to measure with. Takes about a second, a few milliseconds where it is known.
    func known() -> ComputeSpeed? {
        guard let kernels = try? CPUDevice(cpu).kernelsName else { return nil }
        let name =
            ([machine.id, ShardVersion.current, kernels, "\(cpu.threads)"] + cpu.cpus.map(String.init)).joined(
                separator: "-"
            ).filter { $0.isLetter || $0.isNumber || ".-".contains($0) }
        if let known = memory.recall(name).flatMap(Self.speed) { return known }
        // Where there are no other cores to be seen, nothing is known of the machine.
        let isAmongOthers = machine.coreCount > cpu.threads
        guard bytesMax >= Self.bytesMin,
            var measured = MeasuringTurn.take({ measure(isAmongOthers: isAmongOthers) })
        else { return nil }
        if isAmongOthers {
            // It takes a turn of its own.
            measured.machineBytesPerSecond =
                MemoryBandwidth.measure(
                    threadCount: machine.coreCount, bytesMax: min(Self.machineReadBytes, bytesMax)) ?? 0
        }
        if let text = try? JSONEncoder().encode(Self.record(measured)) {
            memory.remember(String(decoding: text, as: UTF8.self), name)
        }
        return measured
    }

    private func measure(isAmongOthers: Bool) -> ComputeSpeed? {
        guard let meter = try? ProductMeter(cpu, bytesMax: bytesMax) else { return nil }
        var rates: [ElementType: [Double]] = [:]
        for type in ComputeSpeed.types { rates[type] = meter.measure(type, rowCounts: ComputeSpeed.rowCounts) }
        return ComputeSpeed(bytesPerSecond: rates, machineShare: isAmongOthers ? share(rates) ?? 0 : 0)
    }

    /// Of what all cores compute together.
    private func share(_ rates: [ElementType: [Double]]) -> Double? {
        var whole = cpu
        (whole.threads, whole.cpus) = (min(machine.coreCount, CPUDeviceOptions.threadsMax), [])
        guard let type = ComputeSpeed.types.first, let rows = ComputeSpeed.rowCounts.last, let own = rates[type]?.last,
            let all = try? ProductMeter(whole, bytesMax: bytesMax).measure(type, rowCounts: [rows])?.last
        else { return nil }
        return min(1, own / all)
    }

    private static func record(_ speed: ComputeSpeed) -> Record {
        Record(
            bytesPerSecond: Dictionary(uniqueKeysWithValues: speed.bytesPerSecond.map { ($0.key.rawValue, $0.value) }),
            machineBytesPerSecond: speed.machineBytesPerSecond, machineShare: speed.machineShare)
    }

    private static func speed(_ text: String) -> ComputeSpeed? {
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(text.utf8)) else { return nil }
        var rates: [ElementType: [Double]] = [:]
        for (number, rate) in record.bytesPerSecond {
            guard let type = ElementType(rawValue: number) else { return nil }
            rates[type] = rate
        }
        return ComputeSpeed(
            bytesPerSecond: rates, machineBytesPerSecond: record.machineBytesPerSecond,
            machineShare: record.machineShare)
    }
}
