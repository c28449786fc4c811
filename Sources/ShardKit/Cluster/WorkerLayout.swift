import Sharding

/// Which layers each of several worker processes gets.
package struct WorkerLayout: Sendable, Hashable {
    /// Of each worker, in order.
    package var selections: [LayerSelection]
    /// What to tell the user where fewer workers are used than asked for.
    package var warning: String?

    /// Deals layers evenly, in the workers' order; the head goes with the last layers, or to a worker of its own
    /// where there is one more worker than layers.
    ///
    /// - Parameters:
    ///   - layerCount: at least 1.
    ///   - workerCount: at least 1; more than there are units get nothing.
    package static func even(layerCount: Int, workerCount: Int) -> WorkerLayout {
        let unitCount = layerCount + 1
        let count = min(workerCount, unitCount)
        let ranges = ShardLayout(layerCount: layerCount, shardCount: count).ranges
        var layout = WorkerLayout(selections: ranges.map { LayerSelection(ranges: [$0]) })
        if count > layerCount { layout.selections.append(LayerSelection(ranges: [])) }
        layout.selections[count - 1].includesHead = true
        if count < workerCount {
            layout.warning =
                "the model has \(layerCount) layers and a head, so \(count) workers are used instead of \(workerCount)"
        }
        return layout
    }

    /// Deals shards to workers in turn, a ring where there are more shards than workers; the head goes with the last.
    package static func inTurn(shards: [Range<Int>], workerCount: Int) -> WorkerLayout {
        let count = min(workerCount, shards.count)
        var layout = WorkerLayout(selections: Array(repeating: LayerSelection(ranges: []), count: count))
        for (index, layers) in shards.enumerated() {
            let worker = index % count
            if let last = layout.selections[worker].ranges.last, last.upperBound == layers.lowerBound {
                layout.selections[worker].ranges[layout.selections[worker].ranges.count - 1] =
                    last.lowerBound..<layers.upperBound
            } else {
                layout.selections[worker].ranges.append(layers)
            }
        }
        layout.selections[(shards.count - 1) % count].includesHead = true
        if count < workerCount {
            layout.warning =
                "the model has \(shards.count) shards, so \(count) workers are used instead of \(workerCount)"
        }
        return layout
    }
}
