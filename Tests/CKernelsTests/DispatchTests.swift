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
        let bytes = (0..<301).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let whole = shard_crc32c(0, bytes, bytes.count)
        bytes.withUnsafeBytes {
            for split in 0...bytes.count {
                let first = shard_crc32c(0, $0.baseAddress!, split)
                #expect(shard_crc32c(first, $0.baseAddress! + split, bytes.count - split) == whole)
            }
        }
    }
}
