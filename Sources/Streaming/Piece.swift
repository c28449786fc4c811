/// Consecutive bytes of one of a model's files, which are read at once.
package struct Piece: Sendable, Hashable {
    /// Index of the file.
    package var file: Int
    /// From its start.
    package var offset: Int
    package var byteCount: Int

    package init(file: Int, offset: Int, byteCount: Int) {
        self.file = file
        self.offset = offset
        self.byteCount = byteCount
    }
}

/// What direct reads begin and end on, in the file and in memory: no disk's block is larger.
enum ReadAlignment {
    static let bytes = 4096

    static func down(_ offset: Int) -> Int { offset / bytes * bytes }
    static func up(_ offset: Int) -> Int { down(offset + bytes - 1) }
}

extension Piece {
    /// The aligned bytes of the file around it, which may reach beyond its end.
    var alignedRange: Range<Int> { ReadAlignment.down(offset)..<ReadAlignment.up(offset + byteCount) }
}
