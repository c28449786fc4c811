import CKernels

/// Measures what this machine's memory and cores can give: the limits of any model's speed.
///
/// Takes the loops of the kernels that compute (`SHARD_CPU` or the fastest), so that a share says what could be gained.
package struct LimitMeter {
    /// Of the instruction set.
    package let kernelsName: String
    private let limits: shard_limits
    private let cpus: [Int]

    /// - Parameters:
    ///   - kernels: as ``CPUDeviceOptions`` has it.
    ///   - cpus: cores to pin threads to, as the device would.
    package init(kernels: String?, cpus: [Int]) throws(DeviceError) {
        kernelsName = String(cString: try CPUDeviceOptions.table(kernels).name)
        guard let limits = shard_limits_named(kernelsName) else {
            throw DeviceError(.unsupported, place: "limits", "there are no loops for \(kernelsName)")
        }
        self.limits = limits.pointee
        self.cpus = cpus
    }

    /// Measures for each count of threads, on the calling thread and others; the caller is pinned where there are `cpus`.
    ///
    /// Needs `effort.readBytes` of memory, or a quarter of what is free.
    package func measure(threads: [Int], _ effort: LimitEffort) throws(DeviceError) -> [ThreadLimitSamples] {
        let byteCount = min(effort.readBytes, MachineFiles().memory.availableBytes / 4)
        var measured: [ThreadLimitSamples] = []
        for count in threads {
            let pool = try ThreadPool(threadCount: count, cpus: cpus)
            measured.append(
                ThreadLimitSamples(
                    threads: count, reads: [],
                    integers: samples(of: limits.integers, effort, pool),
                    floats: samples(of: limits.floats, effort, pool)))
        }
        for pages in ReadMemory.Pages.allCases {
            let memory = try ReadMemory(
                byteCount: byteCount, pages: pages,
                pool: try ThreadPool(threadCount: threads.max() ?? 1, cpus: cpus))
            for index in threads.indices {
                let pool = try ThreadPool(threadCount: threads[index], cpus: cpus)
                for loop in UnsafeBufferPointer(start: limits.reads, count: limits.read_count) {
                    measured[index].reads.append(
                        LimitSamples(
                            name: "\(String(cString: loop.name)), \(pages.rawValue)",
                            perSecond: (0..<effort.runCount).map { _ in memory.measure(loop, pool: pool) }))
                }
            }
        }
        return measured
    }

    private func samples(of loop: shard_product_loop, _ effort: LimitEffort, _ pool: ThreadPool) -> LimitSamples {
        let loop = ProductLoop(loop: loop)
        return LimitSamples(name: loop.name, perSecond: loop.measure(effort, pool: pool))
    }
}
