/// Token ids by the UTF-8 bytes of their text.
///
/// Swift's strings compare by canonical equivalence, under which tokens with composed and decomposed letters would
/// be one; this table compares bytes. Open addressing; the hash is seeded by the process, so a vocabulary cannot be
/// made to collide.
struct TokenIndex: Sendable {
    private var slots: [Int32]  // id + 1; 0 is free
    private var texts: [UInt8] = []
    private var ends: [Int] = [0]  // text of id i is texts[ends[i]..<ends[i + 1]]
    private let mask: Int

    /// - Parameter tokens: by id; nil where there is no token. Empty texts are never found.
    /// - Returns: the table, or the two ids that share a text.
    static func make(_ tokens: [String?]) -> Result {
        var slotCount = 16
        while slotCount < tokens.count * 2 { slotCount *= 2 }
        var index = TokenIndex(slotCount: slotCount)
        index.ends.reserveCapacity(tokens.count + 1)
        for (id, token) in tokens.enumerated() {
            if let token { index.texts.append(contentsOf: token.utf8) }
            let start = index.ends[id]
            index.ends.append(index.texts.count)
            guard index.texts.count > start else { continue }
            let slot = index.texts[start...].withUnsafeBufferPointer { index.slot(of: $0) }
            guard index.slots[slot] == 0 else { return .duplicate(Int(index.slots[slot]) - 1, id) }
            index.slots[slot] = Int32(id) + 1
        }
        return .made(index)
    }

    enum Result {
        case made(TokenIndex)
        case duplicate(Int, Int)
    }

    private init(slotCount: Int) {
        slots = [Int32](repeating: 0, count: slotCount)
        mask = slotCount - 1
    }

    func id(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
        guard !text.isEmpty else { return nil }
        let found = slots[slot(of: text)]
        return found == 0 ? nil : found - 1
    }

    func id(of text: String) -> Int32? {
        var text = text
        return text.withUTF8 { id(of: $0) }
    }

    func id(of text: [UInt8]) -> Int32? {
        text.withUnsafeBufferPointer { id(of: $0) }
    }

    /// Bytes of a token's text; empty where there is no token.
    func text(of id: Int32) -> ArraySlice<UInt8> {
        texts[ends[Int(id)]..<ends[Int(id) + 1]]
    }

    /// The slot that holds this text, or the free one where it belongs. At most half of the slots are taken.
    private func slot(of text: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(text))
        var slot = hasher.finalize() & mask
        while slots[slot] != 0, !isText(text, of: slots[slot] - 1) {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private func isText(_ text: UnsafeBufferPointer<UInt8>, of id: Int32) -> Bool {
        let start = ends[Int(id)]
        guard ends[Int(id) + 1] - start == text.count else { return false }
        return texts[start..<(start + text.count)].elementsEqual(text)
    }
}
