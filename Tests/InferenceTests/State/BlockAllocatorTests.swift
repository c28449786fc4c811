import Inference
import Testing

@Suite("Block allocator")
struct BlockAllocatorTests {
    @Test("it hands out each block once and never more than it has")
    func cap() {
        var allocator = BlockAllocator(blockCount: 3)
        let blocks = (0..<3).compactMap { _ in allocator.allocate() }
        #expect(Set(blocks) == [0, 1, 2])
        #expect(allocator.freeCount == 0)
        let none = allocator.allocate()
        #expect(none == nil)
        allocator.release(blocks[1])
        let again = allocator.allocate()
        #expect(again == blocks[1])
    }

    @Test("a shared block is free after its last user")
    func sharing() throws {
        var allocator = BlockAllocator(blockCount: 1)
        let allocated = allocator.allocate()
        let block = try #require(allocated)
        #expect(!allocator.isShared(block))
        allocator.share(block)
        #expect(allocator.isShared(block))
        allocator.release(block)
        #expect(!allocator.isShared(block))
        #expect(allocator.freeCount == 0)
        allocator.release(block)
        #expect(allocator.freeCount == 1)
    }

    @Test("random use keeps the count of free blocks right", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var allocator = BlockAllocator(blockCount: 10)
        var users: [Int32] = []
        for _ in 0..<2000 {
            switch random.next() % 3 {
            case 0: if let block = allocator.allocate() { users.append(block) }
            case 1:
                if let block = users.randomElement(using: &random) {
                    allocator.share(block)
                    users.append(block)
                }
            default:
                if !users.isEmpty { allocator.release(users.remove(at: Int(random.next() % UInt64(users.count)))) }
            }
            #expect(allocator.freeCount == 10 - Set(users).count)
        }
    }
}
