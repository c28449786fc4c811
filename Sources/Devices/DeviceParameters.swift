import Tensors

/// The state of one attention layer.
package struct CacheShape: Sendable, Hashable {
    /// Positions of one block; a group of the online softmax, four tiles of keys.
    package static let blockPositions = 64

    package var keyValueHeadCount: Int
    package var headDim: Int
    /// f32, f16 or q8_0; the device says which it has.
    package var elementType: ElementType

    package init(keyValueHeadCount: Int, headDim: Int, elementType: ElementType) {
        self.keyValueHeadCount = keyValueHeadCount
        self.headDim = headDim
        self.elementType = elementType
    }

    /// Keys and values of one position, heads in whole quantised blocks.
    package var bytesPerPosition: Int {
        let blockElements = elementType.blockElementCount
        return 2 * keyValueHeadCount * ((headDim + blockElements - 1) / blockElements * elementType.blockBytes)
    }
    package var bytesPerBlock: Int { bytesPerPosition * Self.blockPositions }
}

/// Which heads look at what.
package struct AttentionParameters: Sendable, Hashable {
    package var headCount: Int
    /// Factor of scores.
    package var scale: Float
    /// A row sees the last `window` positions, its own included; nil sees all.
    package var window: Int?

    package init(headCount: Int, scale: Float, window: Int? = nil) {
        self.headCount = headCount
        self.scale = scale
        self.window = window
    }
}

/// Rotary positions (Su et al. 2021).
package struct RotaryParameters: Sendable, Hashable {
    /// Whether dimension 2i turns with 2i + 1, and not i with i + half.
    package var pairsAdjacent: Bool
    /// Radians a position; twice as many dimensions turn, from the front of a head.
    package var frequencies: [Float]
    /// Factor of sine and cosine.
    package var magnitude: Float

    package init(pairsAdjacent: Bool, frequencies: [Float], magnitude: Float = 1) {
        self.pairsAdjacent = pairsAdjacent
        self.frequencies = frequencies
        self.magnitude = magnitude
    }
}

/// Which rows make up each row of a sum: the first is added to 0, then one after the other, a fused product each.
package struct RowShares: Sendable, Hashable {
    package var sharesPerRow: Int
    /// `[rows, sharesPerRow]`
    package var rows: [Int32] = []
    package var factors: [Float] = []

    package init(sharesPerRow: Int) { self.sharesPerRow = sharesPerRow }
}

/// Where the rows of a step stand: each row's position and the blocks of its sequence.
package struct RowPlacement: Sendable, Hashable {
    /// Position of each row in its sequence.
    package var positions: [Int32] = []
    /// For each row the index in `blocks` at which the block table of its sequence starts.
    package var tableStarts: [Int32] = []
    /// Block tables one after the other: entry `position ÷ 64` of a table is a block of the cache.
    package var blocks: [Int32] = []

    package init() {}

    package var rowCount: Int { positions.count }

    /// Empties it and keeps its memory.
    package mutating func removeAll() {
        positions.removeAll(keepingCapacity: true)
        tableStarts.removeAll(keepingCapacity: true)
        blocks.removeAll(keepingCapacity: true)
    }
}
