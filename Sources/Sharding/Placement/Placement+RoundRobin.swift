extension Placement {
    /// Shard i goes to worker i mod n, which is a ring when there are more shards than workers. A model that is not
    /// split on disk counts as one shard a worker, dealt evenly.
    func roundRobinSegments() -> [Segment] {
        let shards =
            model.shards.isEmpty
            ? ShardLayout(layerCount: model.layers.count, shardCount: workers.count).ranges : model.shards
        var segments = shards.enumerated().map { index, layers in
            Segment(worker: index % workers.count, units: layers)
        }
        let head = model.layers.count..<model.unitCount
        segments.append(Segment(worker: segments.last?.worker ?? 0, units: head))
        return Self.merged(segments)
    }
}
