/// Which layers go into which shard: dealt evenly, the first `layers mod shards` shards with one more.
package struct ShardLayout: Sendable, Hashable {
    /// Half-open, consecutive, none empty.
    package let ranges: [Range<Int>]
    /// How many shards were asked for; more than there are layers are not made.
    package let askedCount: Int

    /// - Precondition: both counts are at least 1.
    package init(layerCount: Int, shardCount: Int) {
        precondition(layerCount > 0 && shardCount > 0, "a model has layers and goes into shards")
        askedCount = shardCount
        let count = min(layerCount, shardCount)
        var ranges: [Range<Int>] = []
        for index in 0..<count {
            let first = ranges.last?.upperBound ?? 0
            ranges.append(first..<first + layerCount / count + (index < layerCount % count ? 1 : 0))
        }
        self.ranges = ranges
    }

    package var count: Int { ranges.count }

    /// Units of a shard: the embedding is in the first, the head in the last.
    package func units(of shard: Int) -> [ModelUnit] {
        (shard == 0 ? [.embedding] : []) + ranges[shard].map { .layer($0) } + (shard == count - 1 ? [.head] : [])
    }

    /// What to tell the user where fewer shards are made than asked for.
    package var warning: String? {
        askedCount == count
            ? nil : "the model has \(count) layers, so \(count) shards are made instead of \(askedCount)"
    }
}
