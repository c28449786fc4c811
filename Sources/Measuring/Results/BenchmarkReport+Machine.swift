import Devices

extension BenchmarkReport {
    /// What this machine is and, with an effort, what it can do; still without results. Blocks for as long as that takes.
    ///
    /// - Parameters:
    ///   - cpu: the instruction set to use, and the cores to pin threads to; the calling thread is pinned then, too.
    ///   - threads: counts to find limits for.
    ///   - effort: nil finds none.
    package init(
        machineOf cpu: CPUDeviceOptions, threads: [Int], effort: LimitEffort?
    ) throws(DeviceError) {
        let meter = try LimitMeter(kernels: cpu.kernels, cpus: cpu.cpus)
        let limits = try effort.map { effort throws(DeviceError) in try meter.measure(threads: threads, effort) } ?? []
        let files = MachineFiles()
        self.init(
            machine: Machine(
                cpu: files.processorName, cores: files.coreCount, kernels: meter.kernelsName, os: files.systemName),
            limits: limits.map(ThreadLimits.init))
    }
}
