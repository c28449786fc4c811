/// Hands out the blocks of a cache by number, counts who shares each, and never exceeds its count.
package struct BlockAllocator: Sendable {
    package let blockCount: Int
    /// Free blocks; the last is handed out next.
    private var free: [Int32]
    /// Sequences that use each block; 0 when it is free.
    private var useCounts: [Int32]

    package init(blockCount: Int) {
        precondition(blockCount >= 0 && blockCount <= Int(Int32.max), "a block's number is an Int32")
        self.blockCount = blockCount
        free = (0..<Int32(blockCount)).reversed()
        useCounts = Array(repeating: 0, count: blockCount)
    }

    package var freeCount: Int { free.count }

    /// A block with one user; nil when none is free.
    package mutating func allocate() -> Int32? {
        guard let block = free.popLast() else { return nil }
        useCounts[Int(block)] = 1
        return block
    }

    /// Adds a user to a block in use.
    package mutating func share(_ block: Int32) {
        precondition(useCounts[Int(block)] > 0, "only a block in use can be shared")
        useCounts[Int(block)] += 1
    }

    /// Takes a user away; the block is free when it was the last.
    package mutating func release(_ block: Int32) {
        precondition(useCounts[Int(block)] > 0, "a block is released once by each user")
        useCounts[Int(block)] -= 1
        if useCounts[Int(block)] == 0 { free.append(block) }
    }

    package func isShared(_ block: Int32) -> Bool { useCounts[Int(block)] > 1 }
}
