/// Where pieces lie in a ring of memory: each in one stretch, taken and given back in the same order.
struct PieceRing {
    let byteCount: Int
    /// The oldest first.
    private var used: [Range<Int>] = []

    init(byteCount: Int) { self.byteCount = byteCount }

    var isEmpty: Bool { used.isEmpty }

    /// Room for so many bytes behind the newest piece; nil until older ones are given back.
    mutating func allocate(_ bytes: Int) -> Range<Int>? {
        guard let start = start(of: bytes) else { return nil }
        let place = start..<start + bytes
        used.append(place)
        return place
    }

    /// Gives the oldest piece back.
    mutating func releaseOldest() { used.removeFirst() }

    private func start(of bytes: Int) -> Int? {
        guard let oldest = used.first, let newest = used.last else { return bytes <= byteCount ? 0 : nil }
        let isWrapped = newest.lowerBound < oldest.lowerBound
        if isWrapped { return oldest.lowerBound - newest.upperBound >= bytes ? newest.upperBound : nil }
        if byteCount - newest.upperBound >= bytes { return newest.upperBound }
        return oldest.lowerBound >= bytes ? 0 : nil
    }
}
