import Sharding
import Testing

@testable import WeightTransfer

@Suite("Hashing in pieces")
struct BlobHasherTests {
    @Test("pieces of any sizes, alone or side by side, give what the library gives", arguments: 1...40)
    func pieces(seed: UInt64) {
        var random = SplitMix(seed)
        let blobs = (0..<2).map {
            SampleBlob(byteCount: Int.random(in: 0...20_000, using: &random), seed: seed * 2 + $0)
        }
        let hashers = [BlobHasher(), BlobHasher()]
        var positions = [0, 0]
        func next(_ blob: Int) -> [UInt8] {
            let left = blobs[blob].bytes.count - positions[blob]
            let size = min(left, Int.random(in: 0...[1, 64, 200, 9000].randomElement(using: &random)!, using: &random))
            defer { positions[blob] += size }
            return Array(blobs[blob].bytes[positions[blob]..<positions[blob] + size])
        }
        while positions[0] < blobs[0].bytes.count || positions[1] < blobs[1].bytes.count {
            if Bool.random(using: &random) {
                let (first, second) = (next(0), next(1))
                first.withUnsafeBytes { first in
                    second.withUnsafeBytes { BlobHasher.update(hashers[0], first, hashers[1], $0) }
                }
            } else {
                let blob = Int.random(in: 0...1, using: &random)
                next(blob).withUnsafeBytes { hashers[blob].update($0) }
            }
        }
        #expect(hashers[0].finish() == blobs[0].hash)
        #expect(hashers[1].finish() == blobs[1].hash)
    }
}
