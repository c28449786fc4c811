import CKernels
import Devices

/// Which experts the rows of a step go to, and what each of them counts there.
///
/// Each row has a place at each of its experts; places lie together by expert, and within an expert by row. Keeps its
/// memory from step to step.
struct ExpertRouting {
    struct Group: Hashable {
        let expert: Int
        var places: Range<Int>
    }

    /// Experts that have places, in the order of their indices.
    private(set) var groups: [Group] = []
    /// The row of each place.
    private(set) var rows: [Int] = []
    /// For each row its places in the order of their experts.
    private(set) var shares: RowShares
    private let expertCount: Int
    /// Experts of the row at hand, then of all rows, ascending in each.
    private var chosen: [Int] = []
    /// Of each expert, then where its next place is.
    private var placeCounts: [Int]

    init(expertCount: Int, usedCount: Int) {
        self.expertCount = expertCount
        shares = RowShares(sharesPerRow: usedCount)
        placeCounts = Array(repeating: 0, count: expertCount)
    }

    /// - Parameters:
    ///   - logits: of the router, `[rowCount, experts]`.
    ///   - isNormalized: whether a row's shares are the softmax of its chosen experts' logits, and not of all.
    mutating func route(_ logits: UnsafeBufferPointer<Float>, rowCount: Int, isNormalized: Bool) {
        chosen.removeAll(keepingCapacity: true)
        shares.factors.removeAll(keepingCapacity: true)
        for row in 0..<rowCount {
            let logits = UnsafeBufferPointer(rebasing: logits[row * expertCount..<(row + 1) * expertCount])
            choose(logits)
            weigh(logits, isNormalized: isNormalized)
        }
        place(rowCount)
    }

    /// The largest logits, the lower index first where they are equal; NaN counts as the smallest.
    private mutating func choose(_ logits: UnsafeBufferPointer<Float>) {
        let first = chosen.count
        let value = { (expert: Int) in logits[expert].isNaN ? -Float.infinity : logits[expert] }
        for expert in 0..<expertCount {
            var place = chosen.count
            while place > first, value(chosen[place - 1]) < value(expert) { place -= 1 }
            guard place - first < shares.sharesPerRow else { continue }
            chosen.insert(expert, at: place)
            if chosen.count - first > shares.sharesPerRow { chosen.removeLast() }
        }
        // In place: sorting the array's own slice would copy it.
        chosen.withUnsafeMutableBufferPointer { $0[first...].sort() }
    }

    /// exp(logit − largest) ÷ the sum of those, of the chosen or of all experts, in the order of their indices.
    private mutating func weigh(_ logits: UnsafeBufferPointer<Float>, isNormalized: Bool) {
        let own = chosen.suffix(shares.sharesPerRow)
        let largest = own.reduce(-Float.infinity) { max($0, logits[$1]) }
        var sum: Float = 0
        if isNormalized {
            for expert in own { sum += shard_exp(logits[expert] - largest) }
        } else {
            for expert in 0..<expertCount { sum += shard_exp(logits[expert] - largest) }
        }
        for expert in own { shares.factors.append(shard_exp(logits[expert] - largest) / sum) }
    }

    private mutating func place(_ rowCount: Int) {
        for expert in 0..<expertCount { placeCounts[expert] = 0 }
        for expert in chosen { placeCounts[expert] += 1 }
        groups.removeAll(keepingCapacity: true)
        var place = 0
        for expert in 0..<expertCount where placeCounts[expert] > 0 {
            let count = placeCounts[expert]
            groups.append(Group(expert: expert, places: place..<place + count))
            placeCounts[expert] = place
            place += count
        }
        rows.removeAll(keepingCapacity: true)
        rows.append(contentsOf: repeatElement(0, count: place))
        shares.rows.removeAll(keepingCapacity: true)
        for (index, expert) in chosen.enumerated() {
            rows[placeCounts[expert]] = index / shares.sharesPerRow
            shares.rows.append(Int32(placeCounts[expert]))
            placeCounts[expert] += 1
        }
    }
}
