import Glibc

/// Zeroed memory on page borders, given back when its last owner goes; untouched pages take nothing.
package final class AlignedMemory {
    package let base: UnsafeMutableRawPointer
    package let byteCount: Int

    /// From here on pages of 2 MiB are asked for, and memory begins on one: fewer of the processor's address look-ups miss.
    static let largePageBytes = 2 << 20

    package init(byteCount: Int, for place: String) throws(DeviceError) {
        self.byteCount = max(byteCount, 1)
        let isLarge = self.byteCount >= Self.largePageBytes
        let (mappedBytes, overflow) = self.byteCount.addingReportingOverflow(isLarge ? Self.largePageBytes : 0)
        let mapped = overflow ? nil : mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw DeviceError(.outOfMemory, place: place, "\(byteCount) bytes cannot be had from the system")
        }
        base = isLarge ? mapped.alignedUp(toMultipleOf: Self.largePageBytes) : mapped
        guard isLarge else { return }
        let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
        let end = (base + self.byteCount).alignedUp(toMultipleOf: pageBytes)
        if base > mapped { munmap(mapped, base - mapped) }
        if mapped + mappedBytes > end { munmap(end, mapped + mappedBytes - end) }
        madvise(base, self.byteCount, MADV_HUGEPAGE)
    }

    deinit { munmap(base, byteCount) }

    var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
