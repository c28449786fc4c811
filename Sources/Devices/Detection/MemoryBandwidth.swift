/// How fast this machine reads memory: the floor of the time that one token takes.
package enum MemoryBandwidth {
    /// More than caches hold.
    private static let bytesWanted = 512 << 20
    private static let bytesMin = 16 << 20
    private static let passes = 5

    /// Reads a large buffer with all threads together, several times, and takes the fastest pass.
    ///
    /// Takes about a second, and `bytesMax` bytes of memory at most.
    /// - Returns: Bytes a second; nil where there is no memory or there are no threads to measure with.
    package static func measure(threadCount: Int, bytesMax: Int = .max) -> Double? {
        let byteCount = min(bytesWanted, bytesMax) & ~4095
        guard byteCount >= bytesMin, let pool = try? ThreadPool(threadCount: max(1, threadCount), cpus: []) else {
            return nil
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 4096)
        defer { buffer.deallocate() }
        let taskCount = max(1, threadCount) * 8
        let lines = byteCount / lineBytes
        // Safe to share: each task has its own range of lines, and its own sum.
        nonisolated(unsafe) let memory = buffer
        nonisolated(unsafe) let sums = UnsafeMutableBufferPointer<UInt64>.allocate(capacity: taskCount)
        defer { sums.deallocate() }
        sums.initialize(repeating: 0)
        func range(_ task: Int) -> Range<Int> { lines * task / taskCount..<lines * (task + 1) / taskCount }
        pool.run(taskCount: taskCount) { task, _ in
            let own = range(task)
            UnsafeMutableRawBufferPointer(rebasing: memory[own.lowerBound * lineBytes..<own.upperBound * lineBytes])
                .initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: task))
        }
        var best: Double?
        let clock = ContinuousClock()
        for _ in 0..<passes {
            let time = clock.measure {
                pool.run(taskCount: taskCount) { task, _ in sums[task] &+= sum(memory, range(task)) }
            }
            let seconds = time / .seconds(1)
            if seconds > 0 { best = max(best ?? 0, Double(byteCount) / seconds) }
        }
        // The sums are looked at, so that no compiler leaves the reading out.
        return sums.allSatisfy { $0 == .max } ? nil : best
    }

    private static let lineBytes = 256

    private static func sum(_ memory: UnsafeMutableRawBufferPointer, _ lines: Range<Int>) -> UInt64 {
        var a = SIMD8<UInt64>(repeating: 0)
        var b = a
        var c = a
        var d = a
        guard let base = memory.baseAddress else { return 0 }
        for line in lines {
            let pointer = base + line * lineBytes
            a &+= pointer.load(as: SIMD8<UInt64>.self)
            b &+= pointer.load(fromByteOffset: 64, as: SIMD8<UInt64>.self)
            c &+= pointer.load(fromByteOffset: 128, as: SIMD8<UInt64>.self)
            d &+= pointer.load(fromByteOffset: 192, as: SIMD8<UInt64>.self)
        }
        return (a &+ b &+ c &+ d).wrappedSum()
    }
}
