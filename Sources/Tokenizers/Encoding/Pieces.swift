/// A text cut into pieces that are encoded one by one.
///
/// Pieces lie in order and do not overlap; what lies between two is dropped.
struct Pieces {
    /// UTF-8.
    var text: [UInt8]
    var ranges: [Range<Int>]

    init(_ text: [UInt8]) {
        self.text = text
        ranges = text.isEmpty ? [] : [0..<text.count]
    }

    init() {
        text = []
        ranges = []
    }

    mutating func append(_ piece: some Collection<UInt8>) {
        guard !piece.isEmpty else { return }
        let start = text.count
        text.append(contentsOf: piece)
        ranges.append(start..<text.count)
    }
}
