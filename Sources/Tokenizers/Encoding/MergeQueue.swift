/// Two neighbouring symbols that may merge.
struct MergeCandidate {
    /// Lowest first; then rank, ids, and place.
    var priority: Float
    var rank: Int32
    /// Place of the left symbol.
    var left: Int32
    var leftToken: Int32
    var rightToken: Int32
    /// What the two become.
    var token: Int32

    static func < (a: MergeCandidate, b: MergeCandidate) -> Bool {
        if a.priority != b.priority { return a.priority < b.priority }
        if a.rank != b.rank { return a.rank < b.rank }
        if a.leftToken != b.leftToken { return a.leftToken < b.leftToken }
        if a.rightToken != b.rightToken { return a.rightToken < b.rightToken }
        return a.left < b.left
    }
}

/// A binary heap of merge candidates, best first.
struct MergeQueue {
    private var heap: [MergeCandidate] = []

    mutating func reserveCapacity(_ count: Int) { heap.reserveCapacity(count) }

    mutating func push(_ candidate: MergeCandidate) {
        heap.append(candidate)
        var place = heap.count - 1
        while place > 0 {
            let parent = (place - 1) / 2
            guard heap[place] < heap[parent] else { break }
            heap.swapAt(place, parent)
            place = parent
        }
    }

    mutating func pop() -> MergeCandidate? {
        guard let best = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return best }
        heap[0] = last
        var place = 0
        while true {
            var smallest = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child] < heap[smallest] {
                smallest = child
            }
            guard smallest != place else { return best }
            heap.swapAt(place, smallest)
            place = smallest
        }
    }
}
