/// What a process holds, as the kernel counts it.
package struct ProcessMemory: Sendable, Hashable {
    /// Pages in memory: its own, those of files that it maps, and shared ones.
    package var residentBytes: Int
    /// The most that was resident since the start, or since it was last reset.
    package var peakBytes: Int
}

extension MachineFiles {
    /// Of this process; nil where the kernel does not say.
    package var processMemory: ProcessMemory? { memory(ofProcess: "self") }

    /// Of a process by its number, or of this one by `self`.
    package func memory(ofProcess process: String) -> ProcessMemory? {
        guard let status = read("/proc/\(process)/status"), let resident = Self.kibibytes("VmRSS", status) else {
            return nil
        }
        return ProcessMemory(
            residentBytes: resident, peakBytes: Self.kibibytes("VmHWM", status) ?? resident)
    }
}
