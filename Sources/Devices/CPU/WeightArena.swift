/// Memory for packed matrices, one after the other in large regions.
///
/// A matrix on pages of its own begins and ends on small ones, and small matrices have no large page at all: products then
/// read a sixth slower (28 instead of 33 GB/s on Zen 4). A region goes when its last matrix does.
final class WeightArena {
    /// A matrix's part of a region, which it keeps alive.
    struct Area {
        fileprivate let region: AlignedMemory
        let base: UnsafeMutableRawPointer
        let byteCount: Int
    }

    private static let regionBytes = 64 << 20
    /// Cache lines: vectors of weights start on them.
    private static let alignment = 64
    /// What alignment may cost of areas that are reserved together: addresses, no memory.
    private static let alignmentShare = 16

    private var region: AlignedMemory?
    private var usedBytes = 0

    /// Lets the next areas of so many bytes altogether lie in one piece: at the end of each region some memory is lost.
    func reserve(byteCount: Int) throws(DeviceError) {
        guard byteCount > 0 else { return }
        region = try AlignedMemory(byteCount: byteCount + byteCount / Self.alignmentShare, for: "weights")
        usedBytes = 0
    }

    /// Zeroed; pages that are never written take nothing.
    func allocate(byteCount: Int) throws(DeviceError) -> Area {
        let fits = region.map { $0.byteCount - usedBytes >= byteCount } ?? false
        if byteCount > Self.regionBytes, !fits {
            let own = try AlignedMemory(byteCount: byteCount, for: "weights")
            return Area(region: own, base: own.base, byteCount: byteCount)
        }
        if !fits {
            region = try AlignedMemory(byteCount: Self.regionBytes, for: "weights")
            usedBytes = 0
        }
        guard let region else { preconditionFailure("a region was just made") }
        let area = Area(region: region, base: region.base + usedBytes, byteCount: byteCount)
        usedBytes = (usedBytes + byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
        return area
    }
}
