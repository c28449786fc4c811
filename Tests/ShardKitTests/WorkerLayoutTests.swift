import ShardKit
import Sharding
import Testing

@Suite("Layers of worker processes")
struct WorkerLayoutTests {
    @Test(
        "layers are dealt evenly, and the head is a unit of its own",
        arguments: [
            (8, 1, ["0-7,head"]), (8, 2, ["0-3", "4-7,head"]), (8, 3, ["0-2", "3-5", "6-7,head"]),
            (2, 2, ["0", "1,head"]), (2, 3, ["0", "1", "head"]),
        ])
    func even(layers: Int, workers: Int, expected: [String]) {
        let layout = WorkerLayout.even(layerCount: layers, workerCount: workers)
        #expect(layout.selections.map(\.description) == expected)
        #expect(layout.warning == nil)
    }

    @Test("more workers than units are fewer, with a warning")
    func tooMany() {
        let layout = WorkerLayout.even(layerCount: 2, workerCount: 9)
        #expect(layout.selections.map(\.description) == ["0", "1", "head"])
        #expect(layout.warning?.contains("3 workers are used instead of 9") == true)
    }

    @Test(
        "shards go to workers in turn, as a ring when there are more of them",
        arguments: [
            (1, ["0-5,head"]), (2, ["0,2-3", "1,4-5,head"]), (3, ["0,4-5,head", "1", "2-3"]),
            (4, ["0", "1", "2-3", "4-5,head"]),
        ])
    func inTurn(workers: Int, expected: [String]) {
        let layout = WorkerLayout.inTurn(shards: [0..<1, 1..<2, 2..<4, 4..<6], workerCount: workers)
        #expect(layout.selections.map(\.description) == expected)
        #expect(layout.warning == nil)
    }

    @Test("more workers than shards are fewer, with a warning")
    func fewShards() {
        let layout = WorkerLayout.inTurn(shards: [0..<2, 2..<4], workerCount: 3)
        #expect(layout.selections.count == 2 && layout.warning != nil)
    }
}
