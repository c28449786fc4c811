import Testing

@testable import Streaming

@Suite("The ring of pieces")
struct PieceRingTests {
    @Test("pieces lie one behind the other, and at the front again when the end is too near")
    func wraps() {
        var ring = PieceRing(byteCount: 10)
        #expect(ring.allocate(4) == 0..<4)
        #expect(ring.allocate(4) == 4..<8)
        #expect(ring.allocate(3) == nil)
        ring.releaseOldest()
        #expect(ring.allocate(3) == 0..<3)
        #expect(ring.allocate(2) == nil, "one byte is left before the oldest")
        #expect(ring.allocate(1) == 3..<4)
        ring.releaseOldest()
        #expect(ring.allocate(6) == 4..<10)
        #expect(ring.allocate(1) == nil)
    }

    @Test("what is larger than the ring never fits, what is as large does when it is empty")
    func limits() {
        var ring = PieceRing(byteCount: 10)
        #expect(ring.allocate(11) == nil)
        #expect(ring.allocate(10) == 0..<10)
        #expect(ring.allocate(1) == nil)
        ring.releaseOldest()
        #expect(ring.isEmpty)
        #expect(ring.allocate(10) == 0..<10)
    }

    @Test("no two pieces share a byte, whatever their sizes", arguments: 0..<20)
    func disjoint(seed: UInt64) {
        var state = seed &+ 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var ring = PieceRing(byteCount: 100)
        var used: [Range<Int>] = []
        for _ in 0..<500 {
            if random(2) == 0, !used.isEmpty {
                ring.releaseOldest()
                used.removeFirst()
            } else if let place = ring.allocate(1 + random(50)) {
                #expect(place.lowerBound >= 0 && place.upperBound <= 100)
                #expect(!used.contains { $0.overlaps(place) })
                used.append(place)
            }
        }
    }
}
