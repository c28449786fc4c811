import CKernels
import Testing

@Suite("Loops for limits")
struct LimitTests {
    @Test("every table that can run has loops, unknown names have none", arguments: Table.all)
    func loops(table: Table) throws {
        let limits = try #require(shard_limits_named(table.name)).pointee
        #expect(String(cString: limits.name) == table.name)
        #expect(limits.read_count > 1)
        #expect(limits.integers.operation_count > 0 && limits.floats.operation_count > 0)
        #expect(shard_limits_named("sse9") == nil && shard_limits_named("") == nil)
    }

    @Test("reads see every byte once", arguments: Table.all)
    func reads(table: Table) throws {
        let limits = try #require(shard_limits_named(table.name)).pointee
        let byteCount = 3 * Int(SHARD_READ_BYTES_MULTIPLE)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { memory.deallocate() }
        var random = Random(seed: 9)
        for index in memory.indices { memory[index] = UInt8(truncatingIfNeeded: random.next()) }
        // All loops fold the words by exclusive or.
        let expected = memory.bindMemory(to: UInt64.self).reduce(0, ^)
        for loop in UnsafeBufferPointer(start: limits.reads, count: limits.read_count) {
            #expect(loop.run(memory.baseAddress!, byteCount) == expected, "\(String(cString: loop.name))")
        }
    }

    @Test("products depend on the rounds", arguments: Table.all)
    func products(table: Table) throws {
        let limits = try #require(shard_limits_named(table.name)).pointee
        for loop in [limits.integers, limits.floats] {
            #expect(loop.run(0) == 0, "\(String(cString: loop.name))")
            #expect(loop.run(1000) != loop.run(2000), "\(String(cString: loop.name))")
        }
    }
}
