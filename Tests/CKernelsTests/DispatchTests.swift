import CKernels
import Testing

@Suite("The choice of kernels")
struct DispatchTests {
    @Test("scalar is everywhere, unknown names nowhere, and tables carry their names")
    func names() {
        let known = (0..<shard_kernels_count()).map { String(cString: shard_kernels_name($0)) }
        #expect(Set(known) == ["scalar", "avx2", "avxvnni", "avx512", "avx512vnni", "neon", "neon-dotprod"])
        #expect(Table.all.first?.name == "scalar")
        #expect(shard_kernels_named("sse9") == nil && shard_kernels_named("") == nil)
        for table in Table.all {
            #expect(String(cString: table.call.name) == table.name)
        }
    }

    @Test("the best table is one that the machine has")
    func best() {
        #expect(Table.all.contains { $0.kernels == shard_kernels_best() })
    }

    @Test("no machine has another architecture's tables")
    func architecture() {
        #if arch(x86_64)
            #expect(shard_kernels_named("neon") == nil && shard_kernels_named("neon-dotprod") == nil)
        #else
            #expect(shard_kernels_named("avx2") == nil && shard_kernels_named("avx512vnni") == nil)
        #endif
    }
}

@Suite("CRC-32C")
struct ChecksumTests {
    @Test(
        "known answers",
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e), (Array((0..<32).reversed()), 0x113f_db5c),
            (Array("123456789".utf8), 0xe306_9283), ([], 0),
        ] as [([UInt8], UInt32)])
    func known(bytes: [UInt8], expected: UInt32) {
        #expect(shard_crc32c(0, bytes, bytes.count) == expected)
    }

    @Test("pieces give what the whole gives, whatever their sizes and alignment")
    func incremental() {
        var random = Random(seed: 81)
        let bytes = (0..<60_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let whole = shard_crc32c(0, bytes, bytes.count)
        bytes.withUnsafeBytes {
            for split in Array(0...301) + [3071, 3072, 3073, 6144, 49_151, 49_152, 49_153, 55_555, 60_000] {
                let first = shard_crc32c(0, $0.baseAddress!, split)
                #expect(shard_crc32c(first, $0.baseAddress! + split, bytes.count - split) == whole)
            }
        }
    }
}

@Suite("SHA-256")
struct SHA256Tests {
    private static let start: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]

    /// States of lanes after their blocks.
    private func states(after lanes: [[UInt8]], isFast: Bool) -> [[UInt32]] {
        let copies = lanes.map { lane in
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: lane.count)
            copy.initialize(from: lane, count: lane.count)
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        var states = copies.enumerated().map { lane, copy in
            var state = shard_sha256_lane(words: (0, 0, 0, 0, 0, 0, 0, 0), data: UnsafePointer(copy))
            withUnsafeMutableBytes(of: &state.words) { words in
                for word in 0..<8 {
                    words.storeBytes(of: Self.start[word] &+ UInt32(lane), toByteOffset: 4 * word, as: UInt32.self)
                }
            }
            return state
        }
        shard_sha256_blocks(isFast, states.count, &states, lanes[0].count / 64)
        return states.map { state in withUnsafeBytes(of: state.words) { Array($0.bindMemory(to: UInt32.self)) } }
    }

    @Test("a known answer")
    func known() {
        // "abc", padded to one block (FIPS 180-4's first example).
        var block = Array("abc".utf8) + [0x80]
        block += [UInt8](repeating: 0, count: 63 - block.count) + [24]
        for isFast in Set([false, shard_sha256_is_fast()]) {
            let words = states(after: [block], isFast: isFast)[0]
            #expect(
                words.map { String($0, radix: 16) }.joined(separator: " ")
                    == "ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c b410ff61 f20015ad")
        }
    }

    @Test("one lane, two lanes and no instructions give the same", arguments: [0, 1, 2, 5, 100])
    func lanes(blockCount: Int) {
        var random = Random(seed: 256)
        let lanes = (0..<2).map { _ in (0..<64 * blockCount).map { _ in UInt8(truncatingIfNeeded: random.next()) } }
        let expected = states(after: lanes, isFast: false)
        #expect(states(after: lanes, isFast: shard_sha256_is_fast()) == expected)
        #expect(states(after: [lanes[0]], isFast: shard_sha256_is_fast())[0] == expected[0])
    }
}
