import Testing

@testable import Sharding

@Suite("dealing layers")
struct ShardLayoutTests {
    @Test(
        "the first shards have one more",
        arguments: [
            (8, 2, [4, 4]), (8, 3, [3, 3, 2]), (7, 4, [2, 2, 2, 1]), (1, 1, [1]), (5, 5, [1, 1, 1, 1, 1]),
        ])
    func counts(layers: Int, shards: Int, expected: [Int]) {
        let layout = ShardLayout(layerCount: layers, shardCount: shards)
        #expect(layout.ranges.map(\.count) == expected)
        #expect(layout.ranges.flatMap(Array.init) == Array(0..<layers))
        #expect(layout.warning == nil)
    }

    @Test("more shards than layers are not made, with a warning")
    func tooMany() {
        let layout = ShardLayout(layerCount: 3, shardCount: 8)
        #expect(layout.count == 3)
        #expect(layout.warning == "the model has 3 layers, so 3 shards are made instead of 8")
    }

    @Test("the embedding is in the first shard, the head in the last")
    func units() {
        let layout = ShardLayout(layerCount: 3, shardCount: 2)
        #expect(layout.units(of: 0) == [.embedding, .layer(0), .layer(1)])
        #expect(layout.units(of: 1) == [.layer(2), .head])
        #expect(ShardLayout(layerCount: 1, shardCount: 1).units(of: 0) == [.embedding, .layer(0), .head])
    }
}
