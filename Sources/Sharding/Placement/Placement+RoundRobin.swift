extension Placement {
    /// Shard i goes to worker i mod n, which is a ring when there are more shards than workers. A model that is not
    /// split on disk counts as one shard a worker, dealt evenly.
    func roundRobinSegments() -> [Segment] {
        let shards = model.shards.isEmpty ? evenShards(count: workers.count) : model.shards
        var segments = shards.enumerated().map { index, layers in
            Segment(worker: index % workers.count, units: layers)
        }
        let head = model.layers.count..<model.unitCount
        segments.append(Segment(worker: segments.last?.worker ?? 0, units: head))
        return Self.merged(segments)
    }

    /// The first `layers mod count` shards have one layer more; there are no empty ones.
    private func evenShards(count: Int) -> [Range<Int>] {
        let count = max(1, min(count, model.layers.count))
        let (size, larger) = model.layers.count.quotientAndRemainder(dividingBy: count)
        var start = 0
        return (0..<count).map { index in
            defer { start += size + (index < larger ? 1 : 0) }
            return start..<start + size + (index < larger ? 1 : 0)
        }
    }
}

/// Deals shards out to devices in turn: the device of each shard, by index.
package func roundRobinAssignment(shardCount: Int, deviceCount: Int) -> [Int] {
    precondition(shardCount >= 0 && deviceCount > 0, "Shards are dealt to at least one device.")
    return (0..<shardCount).map { $0 % deviceCount }
}
