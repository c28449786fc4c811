import CKernels
import ModelFiles
import Models
import Sharding
import Streaming
import Tensors

/// Which slices of a shard's matrices stay in memory, and which are read from disk each time that they are needed.
///
/// A pure function of the model and of the bytes that may stay: what stays with fewer bytes also stays with more.
package struct ResidencyPlan: Sendable {
    /// Consecutive rows of a matrix, whole tiles but for its last ones.
    package struct Slice: Sendable, Hashable {
        /// Index in ``matrices``.
        package var matrix: Int
        package var rows: Range<Int>
        package var piece: Piece
        package var isPinned: Bool
    }

    /// In the order in which a step needs them.
    let matrices: [StreamableMatrix]
    /// In that order, too; those of the head, which not every step needs, come last.
    package let slices: [Slice]
    /// Of slices that stay, packed.
    package let pinnedBytes: Int
    /// Of slices that are read for each step of one row with an output; of experts at most.
    package let streamedBytes: Int
    /// Of memory for slices of experts that were used of late; 0 where all of them stay, and in models without.
    package let expertCacheBytes: Int

    /// - Parameters:
    ///   - pinnedBytesMax: of packed weights that may stay in memory.
    ///   - wishes: units (layers, and the layer count for the head) whose weights are to stay before others, or never.
    init(_ matrices: [StreamableMatrix], pinnedBytesMax: Int, wishes: [Int: ResidencyWish] = [:]) {
        self.matrices = matrices
        // Depends on the model alone, so that the order in which slices are pinned does, too.
        let pieceBytes = MemoryBudget.pieceBytes(ofMatrices: matrices.reduce(0) { $0 + $1.place.byteCount })
        var slices: [Slice] = []
        for (index, matrix) in matrices.enumerated() {
            for rows in matrix.slices(ofBytes: pieceBytes) {
                slices.append(Slice(matrix: index, rows: rows, piece: matrix.piece(rows), isPinned: false))
            }
        }
        var pinned = 0
        let order = Self.spreadOrder(count: slices.count)
        let wish = { (index: Int) in wishes[matrices[slices[index].matrix].unit] }
        let isExpert = { (index: Int) in matrices[slices[index].matrix].mixture != nil }
        for index in order.filter({ wish($0) == .first }) + order.filter({ wish($0) == nil && !isExpert($0) }) {
            let bytes = slices[index].packedBytes(matrices)
            guard bytes <= pinnedBytesMax - pinned else { break }
            pinned += bytes
            slices[index].isPinned = true
        }
        // Nobody knows which experts are needed next: all of them stay, or those that were used of late.
        let experts = order.filter { wish($0) == nil && isExpert($0) }
        let expertBytes = experts.reduce(0) { $0 + slices[$1].packedBytes(matrices) }
        if expertBytes <= pinnedBytesMax - pinned {
            pinned += expertBytes
            for index in experts { slices[index].isPinned = true }
        }
        let left = slices.filter { !$0.isPinned && matrices[$0.matrix].mixture != nil }
        expertCacheBytes = min(pinnedBytesMax - pinned, left.reduce(0) { $0 + $1.packedBytes(matrices) })
        self.slices = slices
        pinnedBytes = pinned
        streamedBytes = slices.reduce(0) { sum, slice in
            slice.isPinned ? sum : sum + matrices[slice.matrix].bytesPerRow(of: slice.piece)
        }
    }

    /// Indices of the slices that are read in every step, and of those that are read when their experts are chosen.
    var everyStep: [Int] { streamed { $0.mixture == nil } }
    var onDemand: [Int] { streamed { $0.mixture != nil } }

    private func streamed(_ isIncluded: (StreamableMatrix) -> Bool) -> [Int] {
        slices.indices.filter { !slices[$0].isPinned && isIncluded(matrices[slices[$0].matrix]) }
    }

    /// Of the units' slices that stay, packed.
    package func pinnedBytes(ofUnits units: Range<Int>) -> Int {
        slices.reduce(0) { sum, slice in
            slice.isPinned && units.contains(matrices[slice.matrix].unit) ? sum + slice.packedBytes(matrices) : sum
        }
    }

    /// The same model with other wishes.
    package func with(wishes: [Int: ResidencyWish], pinnedBytesMax: Int) -> ResidencyPlan {
        ResidencyPlan(matrices, pinnedBytesMax: pinnedBytesMax, wishes: wishes)
    }

    /// Of memory that holds the largest slice twice, and the largest slice of experts twice.
    package var ringBytesMin: Int { denseRingBytesMin + expertRingBytesMin }
    private var denseRingBytesMin: Int { ringBytesMin { $0.mixture == nil } }
    var expertRingBytesMin: Int { ringBytesMin { $0.mixture != nil } }

    private func ringBytesMin(_ isIncluded: (StreamableMatrix) -> Bool) -> Int {
        PieceStream.ringBytes(for: slices.filter { isIncluded(matrices[$0.matrix]) }.map(\.piece))
    }

    /// 0 to `count` − 1 so that any number from the front lie evenly spread: by the mirrored bits of their index
    /// (van der Corput 1935). So pinned and streamed slices alternate, and the disk works on while pinned ones compute.
    static func spreadOrder(count: Int) -> [Int] {
        guard count > 1 else { return Array(0..<count) }
        let bits = Int.bitWidth - (count - 1).leadingZeroBitCount
        return (0..<1 << bits).map { index in
            Int(UInt64(index).bitReversed >> UInt64(UInt64.bitWidth - bits))
        }.filter { $0 < count }
    }
}

extension ResidencyPlan {
    func content(of slice: Slice) -> SliceContent {
        let matrix = matrices[slice.matrix]
        return SliceContent(
            name: matrix.name, type: matrix.type, rowCount: slice.rows.count, columnCount: matrix.columnCount,
            checks: matrix.packed.map { packed in
                let tiles = matrix.tiles(slice.rows)
                return packed.checks[packed.firstTile + tiles.lowerBound..<packed.firstTile + tiles.upperBound]
            }, byteCount: slice.piece.byteCount, tileBytes: matrix.tileBytes)
    }
}

extension ResidencyPlan.Slice {
    func packedBytes(_ matrices: [StreamableMatrix]) -> Int {
        shard_packed_bytes(matrices[matrix].type.rawValue, rows.count, matrices[matrix].columnCount)
    }
}

extension UInt64 {
    fileprivate var bitReversed: UInt64 {
        var (value, result) = (self, UInt64(0))
        for _ in 0..<bitWidth {
            result = result << 1 | value & 1
            value >>= 1
        }
        return result
    }
}

/// What somebody wants of a unit's weights.
package enum ResidencyWish: Sendable, Hashable {
    /// They stay before those of other units do.
    case first
    /// They are read each time.
    case never
}

/// A matrix by where its rows lie in a file.
struct StreamableMatrix: Sendable, Hashable {
    var name: String
    /// Its layer; the model's layer count for the head.
    var unit: Int
    var type: ElementType
    var rowCount: Int
    var columnCount: Int
    var place: Piece
    /// Name of the bias's tensor.
    var bias: String?
    /// Where several matrices are one tensor.
    var stack: StackPlace?
    /// Of the experts that it is one's of.
    var mixture: Mixture?
    /// Where its packed weights are, where they are read instead.
    var packed: Packed?

    struct Packed: Sendable, Hashable {
        var file: Int
        /// Tiles of the tensor that lie before its own.
        var firstTile: Int
        /// CRC32C of each tile of the tensor.
        var checks: [UInt32]
    }

    /// How many experts there are, and how many a row goes to.
    struct Mixture: Sendable, Hashable {
        var count: Int
        var usedCount: Int
    }

    /// A matrix of a part, whatever the file keeps it in.
    struct Key: Hashable {
        var name: String
        var index: Int
    }
    var key: Key { Key(name: name, index: stack?.index ?? 0) }

    /// Of a piece of it, for a step of one row: of experts a part, on average.
    func bytesPerRow(of piece: Piece) -> Int {
        guard let mixture else { return piece.byteCount }
        return (piece.byteCount * mixture.usedCount + mixture.count - 1) / mixture.count
    }

    private var rowBytes: Int { rowCount == 0 ? 0 : place.byteCount / rowCount }
    var tileBytes: Int { shard_tile_bytes(type.rawValue, columnCount) }

    /// Tiles that hold rows which begin and end with whole ones.
    func tiles(_ rows: Range<Int>) -> Range<Int> {
        let tileRows = Int(SHARD_TILE_ROWS)
        return rows.lowerBound / tileRows..<(rows.upperBound + tileRows - 1) / tileRows
    }

    var tileCount: Int { tiles(0..<rowCount).count }
    /// Of all matrices of its tensor, each in whole tiles.
    var tensorTileCount: Int { tileCount * (stack?.count ?? 1) }
    var isFirstOfTensor: Bool { (stack?.index ?? 0) == 0 }

    /// Whole tiles of rows, of about equal bytes and no more than `bytes` where one tile is not more.
    func slices(ofBytes bytes: Int) -> [Range<Int>] {
        let tileRows = Int(SHARD_TILE_ROWS)
        let tileCount = (rowCount + tileRows - 1) / tileRows
        let tilesMax = max(1, bytes / max(1, tileRows * rowBytes))
        let sliceCount = (tileCount + tilesMax - 1) / tilesMax
        return (0..<sliceCount).map { index in
            let first = tileCount * index / sliceCount * tileRows
            return first..<min(tileCount * (index + 1) / sliceCount * tileRows, rowCount)
        }
    }

    func piece(_ rows: Range<Int>) -> Piece {
        if let packed {
            let tiles = tiles(rows)
            return Piece(
                file: packed.file, offset: (packed.firstTile + tiles.lowerBound) * tileBytes,
                byteCount: tiles.count * tileBytes)
        }
        return Piece(
            file: place.file, offset: place.offset + rows.lowerBound * rowBytes, byteCount: rows.count * rowBytes)
    }
}
