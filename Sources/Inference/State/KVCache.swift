import Devices
import Sharding

/// Keys and values of all sequences in a shard's layers, in blocks of 64 positions that are the same in every layer.
///
/// A sequence's table maps position ÷ 64 to a block. Forks share blocks until one of them writes: then it gets a
/// copy of its own. Blocks are handed out as positions are written, up to a hard count.
package final class KVCache {
    /// A class, so that a step changes it in place.
    private final class Table {
        var blocks: [Int32]
        /// Positions written, without a hole.
        var length: Int

        /// - Parameter capacity: blocks that it has room for at once.
        init(blocks: ArraySlice<Int32> = [], length: Int = 0, capacity: Int) {
            self.blocks = []
            self.blocks.reserveCapacity(max(capacity, blocks.count))
            self.blocks.append(contentsOf: blocks)
            self.length = length
        }
    }

    /// One for each layer of the shard, in order.
    let layers: [any DeviceCache]
    private let device: any Device
    private var allocator: BlockAllocator
    private var tables: [SequenceID: Table] = [:]
    /// Blocks that a sequence's table has room for from its beginning, 4 bytes each, so that no step allocates.
    private let tableCapacity: Int

    /// - Parameter contextLength: positions of one sequence; longer ones work too.
    package init(
        shapes: [CacheShape], blockCount: Int, contextLength: Int = 0, device: any Device
    ) throws(InferenceError) {
        self.device = device
        tableCapacity = min(blockCount, Self.blocksNeeded(positions: contextLength))
        allocator = BlockAllocator(blockCount: blockCount)
        var layers: [any DeviceCache] = []
        for shape in shapes {
            layers.append(
                try onDevice("KV cache") { () throws(DeviceError) in
                    try device.makeCache(shape, blockCount: blockCount)
                })
        }
        self.layers = layers
    }

    /// Blocks that `positions` positions of one sequence take.
    package static func blocksNeeded(positions: Int) -> Int {
        (positions + CacheShape.blockPositions - 1) / CacheShape.blockPositions
    }

    package var blockCount: Int { allocator.blockCount }
    package var freeBlockCount: Int { allocator.freeCount }

    /// Positions written of a sequence; nil for an unknown one.
    package func length(of sequence: SequenceID) -> Int? { tables[sequence]?.length }

    package func begin(_ sequence: SequenceID) throws(InferenceError) {
        guard tables[sequence] == nil else {
            throw InferenceError(.invalidStep, place: "sequence \(sequence)", "expected a new sequence, it exists")
        }
        tables[sequence] = Table(capacity: tableCapacity)
    }

    /// `child` starts with the first `length` positions of `parent`; costs no memory until one of them writes.
    package func fork(_ parent: SequenceID, to child: SequenceID, length: Int) throws(InferenceError) {
        let table = try table(of: parent)
        guard tables[child] == nil else {
            throw InferenceError(.invalidStep, place: "sequence \(child)", "expected a new sequence, it exists")
        }
        guard (0...table.length).contains(length) else {
            throw InferenceError(
                .invalidStep, place: "sequence \(parent)",
                "expected a fork within its \(table.length) positions, got \(length)")
        }
        let shared = table.blocks.prefix(Self.blocksNeeded(positions: length))
        for block in shared { allocator.share(block) }
        tables[child] = Table(blocks: shared, length: length, capacity: tableCapacity)
    }

    /// Forgets positions from `length` on.
    package func truncate(_ sequence: SequenceID, to length: Int) throws(InferenceError) {
        let table = try table(of: sequence)
        guard (0...table.length).contains(length) else {
            throw InferenceError(
                .invalidStep, place: "sequence \(sequence)",
                "expected a length within its \(table.length) positions, got \(length)")
        }
        let kept = Self.blocksNeeded(positions: length)
        for block in table.blocks[kept...] { allocator.release(block) }
        table.blocks.removeSubrange(kept...)
        table.length = length
    }

    /// Forgets a sequence; nothing happens for an unknown one.
    package func free(_ sequence: SequenceID) {
        guard let table = tables.removeValue(forKey: sequence) else { return }
        for block in table.blocks { allocator.release(block) }
    }

    package func freeAll() {
        for sequence in Array(tables.keys) { free(sequence) }
    }

    /// Gives the sequence blocks of its own for `positions`, which follow or repeat what is written, and counts them
    /// as written.
    func prepareWrite(_ sequence: SequenceID, positions: Range<Int>) throws(InferenceError) {
        let table = try table(of: sequence)
        guard positions.lowerBound >= 0, positions.lowerBound <= table.length else {
            throw InferenceError(
                .invalidStep, place: "sequence \(sequence)",
                "expected a position up to \(table.length), got \(positions.lowerBound)")
        }
        let first = positions.lowerBound / CacheShape.blockPositions
        for index in first..<Self.blocksNeeded(positions: positions.upperBound) {
            if index == table.blocks.count {
                table.blocks.append(try allocate(for: sequence))
            } else if allocator.isShared(table.blocks[index]) {
                let copy = try allocate(for: sequence)
                for layer in layers { device.copyBlock(Int(table.blocks[index]), to: Int(copy), in: layer) }
                allocator.release(table.blocks[index])
                table.blocks[index] = copy
            }
        }
        table.length = max(table.length, positions.upperBound)
    }

    /// The sequence's block table.
    func blocks(of sequence: SequenceID) -> [Int32] { tables[sequence]?.blocks ?? [] }

    private func table(of sequence: SequenceID) throws(InferenceError) -> Table {
        guard let table = tables[sequence] else {
            throw InferenceError(
                .invalidStep, place: "sequence \(sequence)", "expected a sequence that began, it did not")
        }
        return table
    }

    private func allocate(for sequence: SequenceID) throws(InferenceError) -> Int32 {
        guard let block = allocator.allocate() else {
            throw InferenceError(
                .cacheFull, place: "sequence \(sequence)",
                "all \(allocator.blockCount) cache blocks of \(CacheShape.blockPositions) positions are in use")
        }
        return block
    }
}
