import CKernels

/// How fast this machine reads memory: the floor of the time that one token takes.
package enum MemoryBandwidth {
    /// More than caches hold.
    private static let bytesWanted = 512 << 20
    private static let bytesMin = 16 << 20
    private static let passes = 3

    /// Reads a large buffer with all threads together, several times in each way that ``LimitMeter`` knows, on large pages
    /// as weights lie; takes the fastest pass.
    ///
    /// Processes of one program measure in turn. Takes about a second, and `bytesMax` bytes of memory at most.
    /// - Returns: Bytes a second; nil where there is no memory or there are no threads to measure with.
    package static func measure(threadCount: Int, bytesMax: Int = .max) -> Double? {
        let byteCount = min(bytesWanted, bytesMax)
        guard byteCount >= bytesMin, let limits = shard_limits_named(shard_kernels_best().pointee.name) else {
            return nil
        }
        return MeasuringTurn.take {
            guard let pool = try? ThreadPool(threadCount: max(1, threadCount), cpus: []),
                let memory = try? ReadMemory(byteCount: byteCount, pages: .huge, pool: pool)
            else { return nil }
            var best = 0.0
            for loop in UnsafeBufferPointer(start: limits.pointee.reads, count: limits.pointee.read_count) {
                for _ in 0..<passes { best = max(best, memory.measure(loop, pool: pool)) }
            }
            return best
        }
    }
}
