import CKernels
import Glibc

/// Memory to read at full speed, on pages of one size.
struct ReadMemory: ~Copyable {
    enum Pages: String, CaseIterable {
        case small = "4 KiB pages"
        /// Asked for; the system gives what it has.
        case huge = "2 MiB pages"
    }

    let pages: Pages
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int

    /// Of each task at least, so that handing tasks out takes no time.
    private static let taskBytesMin = 4 << 20

    /// Every page is written once, by the pool's threads.
    ///
    /// - Parameter byteCount: rounded down to whole pages of 2 MiB, at least one.
    init(byteCount: Int, pages: Pages, pool: ThreadPool) throws(DeviceError) {
        let byteCount = max(2 << 20, byteCount & ~((2 << 20) - 1))
        let mapped = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw DeviceError(
                .outOfMemory, place: "limits", "\(byteCount) bytes to read cannot be had from the system")
        }
        self.pages = pages
        base = mapped
        self.byteCount = byteCount
        madvise(base, byteCount, pages == .huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE)
        // Safe to share: each task writes a range of its own.
        nonisolated(unsafe) let memory = base
        let taskCount = taskCount(threads: pool.threadCount)
        pool.run(taskCount: taskCount) { task, _ in
            let range = Self.range(of: task, among: taskCount, in: byteCount)
            memset(memory + range.lowerBound, Int32(task % 256), range.count)
        }
    }

    deinit { munmap(base, byteCount) }

    /// Reads all of it once with all of the pool's threads; bytes a second.
    func measure(_ loop: shard_read_loop, pool: ThreadPool) -> Double {
        let taskCount = taskCount(threads: pool.threadCount)
        // Safe to share: it is only read.
        nonisolated(unsafe) let memory = UnsafeRawPointer(base)
        let byteCount = byteCount
        let clock = ContinuousClock()
        let time = clock.measure {
            pool.run(taskCount: taskCount) { task, _ in
                let range = Self.range(of: task, among: taskCount, in: byteCount)
                // What it returns means nothing; the call through a pointer is not left out for that.
                _ = loop.run(memory + range.lowerBound, range.count)
            }
        }
        return Double(byteCount) / max(time / .seconds(1), 1e-9)
    }

    private func taskCount(threads: Int) -> Int {
        max(threads, min(threads * 4, byteCount / Self.taskBytesMin))
    }

    private static func range(of task: Int, among taskCount: Int, in byteCount: Int) -> Range<Int> {
        let unit = Int(SHARD_READ_BYTES_MULTIPLE)
        let units = byteCount / unit
        return units * task / taskCount * unit..<units * (task + 1) / taskCount * unit
    }
}
