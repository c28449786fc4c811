import Inference
import Sharding

/// The blocks of the stages' caches, counted here as every stage counts them: sequences that begin alike share those that
/// are full.
///
/// No stage needs more than is counted: blocks are set aside before rows are sent, and what is given back here is freed
/// there by the next step, before its rows.
struct CacheLedger: Sendable {
    /// Positions of a block.
    let blockPositions: Int
    let blockCount: Int
    private var allocator: BlockAllocator
    private var tables: [SequenceID: [Int32]] = [:]

    init(positions: Int, blockPositions: Int) {
        self.blockPositions = blockPositions
        blockCount = positions / blockPositions
        allocator = BlockAllocator(blockCount: blockCount)
    }

    var freeCount: Int { allocator.freeCount }

    /// Blocks of these sequences, each counted once.
    func blocks(of sequences: some Sequence<SequenceID>) -> Int {
        var blocks: Set<Int32> = []
        for sequence in sequences { blocks.formUnion(tables[sequence] ?? []) }
        return blocks.count
    }

    private func blocksNeeded(positions: Int) -> Int { (positions + blockPositions - 1) / blockPositions }

    /// A new sequence that holds nothing, or what of another's first `length` positions fills blocks: the stages give it
    /// a copy of one that it writes to.
    mutating func begin(_ sequence: SequenceID, sharing parent: SequenceID? = nil, length: Int = 0) {
        precondition(tables[sequence] == nil, "a sequence begins once")
        let shared = parent.flatMap { tables[$0]?.prefix(length / blockPositions) } ?? []
        for block in shared { allocator.share(block) }
        tables[sequence] = Array(shared)
    }

    /// Gives a sequence blocks for so many positions.
    ///
    /// - Returns: false when there are not enough, and nothing is given.
    mutating func grow(_ sequence: SequenceID, to positions: Int) -> Bool {
        let missing = blocksNeeded(positions: positions) - (tables[sequence]?.count ?? 0)
        guard missing <= allocator.freeCount else { return false }
        for _ in 0..<max(0, missing) {
            guard let block = allocator.allocate() else { preconditionFailure("free blocks were counted") }
            tables[sequence, default: []].append(block)
        }
        return true
    }

    /// Gives back what a sequence has beyond so many positions.
    mutating func trim(_ sequence: SequenceID, to positions: Int) {
        while let count = tables[sequence]?.count, count > blocksNeeded(positions: positions),
            let last = tables[sequence]?.popLast()
        {
            allocator.release(last)
        }
    }

    /// Gives all blocks of a sequence back.
    mutating func release(_ sequence: SequenceID) {
        for block in tables.removeValue(forKey: sequence) ?? [] { allocator.release(block) }
    }
}
