import Glibc

/// Zeroed memory on page borders, given back when its last owner goes; untouched pages take nothing.
final class AlignedMemory {
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// From here on pages of 2 MiB are asked for: fewer of the processor's address look-ups miss.
    private static let largePageBytes = 2 << 20

    init(byteCount: Int, for place: String) throws(DeviceError) {
        self.byteCount = max(byteCount, 1)
        let mapped = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            throw DeviceError(.outOfMemory, place: place, "\(byteCount) bytes cannot be had from the system")
        }
        base = mapped
        if self.byteCount >= Self.largePageBytes { madvise(base, self.byteCount, MADV_HUGEPAGE) }
    }

    deinit { munmap(base, byteCount) }

    var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
