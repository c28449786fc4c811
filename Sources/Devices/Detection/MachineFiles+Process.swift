/// What a process holds, as the kernel counts it.
package struct ProcessMemory: Sendable, Hashable {
    /// Pages in memory: its own, those of files that it maps, and shared ones.
    package var residentBytes: Int
    /// The most that was resident since the start, or since it was last reset.
    package var peakBytes: Int
    /// Pages of its own that no file holds.
    package var anonymousBytes: Int
    /// Pages that may not be swapped out.
    package var lockedBytes: Int
}

extension MachineFiles {
    /// Of this process; nil where the kernel does not say.
    package var processMemory: ProcessMemory? {
        guard let status = read("/proc/self/status"), let resident = Self.kibibytes("VmRSS", status) else { return nil }
        return ProcessMemory(
            residentBytes: resident, peakBytes: Self.kibibytes("VmHWM", status) ?? resident,
            anonymousBytes: Self.kibibytes("RssAnon", status) ?? resident,
            lockedBytes: Self.kibibytes("VmLck", status) ?? 0)
    }
}
