import Testing

@testable import Sharding

@Suite("Placement")
struct PlacementTests {
    private static let mebibyte = 1 << 20

    private func model(layers: Int = 8, layerMiB: Int = 4, headMiB: Int = 2, shards: [Range<Int>] = [])
        -> PlacementModel
    {
        PlacementModel(
            name: "m",
            layers: Array(
                repeating: PlacementModel.Layer(weightBytes: layerMiB << 20, stateBytesPerToken: 1024),
                count: layers),
            headWeightBytes: headMiB << 20, scratchBytesPerRow: 1024, headScratchBytesPerRow: 2048, shards: shards)
    }

    private let demand = PlacementDemand(
        contextLength: 512, maxSequences: 4, cachePositions: 2048, maxRows: 256, maxHeadRows: 4)

    private func worker(_ name: String, GiB: Int = 8, speed: Double = 10e9, layers: LayerSelection? = nil)
        -> PlacementWorker
    {
        PlacementWorker(
            name: name, device: "cpu", memoryBytes: GiB << 30, bytesPerSecond: speed, selection: layers)
    }

    /// Every layer once, in order, the head last.
    private func expectCover(_ plan: Plan, layers: Int) {
        var next = 0
        for stage in plan.stages {
            #expect(stage.layers.isEmpty || stage.layers.lowerBound == next)
            next = max(next, stage.layers.upperBound)
        }
        #expect(next == layers)
        #expect(plan.stages.map(\.includesHead) == Array(repeating: false, count: plan.stages.count - 1) + [true])
    }

    @Test("two alike workers share the layers evenly, head counted")
    func balancedPair() throws {
        let plan = try Placement(model: model(), demand: demand, workers: [worker("a"), worker("b")]).plan()
        expectCover(plan, layers: 8)
        #expect(plan.stages.map(\.layers.count) == [4, 4])
        #expect(plan.stages.map(\.units) == ["0-3", "4-7 + head"])
    }

    @Test("a faster worker gets more, in proportion to its speed", arguments: [PlacementObjective.prompt, .mixed])
    func balancedBySpeed(objective: PlacementObjective) throws {
        let plan = try Placement(
            model: model(layers: 12, headMiB: 0), demand: demand,
            workers: [worker("a", speed: 20e9), worker("b", speed: 10e9)], objective: objective
        ).plan()
        expectCover(plan, layers: 12)
        #expect(plan.shares.first?.layerCount == 8)
    }

    @Test("a device that would only slow the others down is left out, and named")
    func leftOut() throws {
        let plan = try Placement(
            model: model(), demand: demand, workers: [worker("a"), worker("slow", speed: 10e6)]
        ).plan()
        #expect(plan.stages.map(\.worker) == ["a"])
        #expect(plan.leftOut.count == 1)
        #expect(plan.leftOut[0].hasPrefix("slow: "))
    }

    @Test("memory limits bind before speed does")
    func memoryLimit() throws {
        let small = PlacementWorker(name: "a", device: "cpu", memoryBytes: 14 << 20, bytesPerSecond: 100e9)
        let plan = try Placement(
            model: model(), demand: demand, workers: [small, worker("b")], objective: .prompt
        ).plan()
        expectCover(plan, layers: 8)
        for share in plan.shares { #expect(share.need.totalBytes <= share.limitBytes) }
        #expect(plan.shares.first { $0.worker == "a" }?.layerCount ?? 0 <= 2)
    }

    @Test("what fits nowhere is refused with the sum and what would have to change")
    func doesNotFit() {
        let small = PlacementWorker(name: "a", device: "cpu", memoryBytes: 10 << 20, bytesPerSecond: 1e9)
        let error = #expect(throws: PlacementError.self) {
            try Placement(model: model(), demand: demand, workers: [small]).plan()
        }
        #expect(error?.code == .doesNotFit)
        #expect(error?.message.contains("weights 34.0 MiB + cache 16.0 MiB") == true)
        #expect(error?.message.contains("add workers or memory") == true)
    }

    @Test("where only the cache is too large, fewer sequences are named")
    func cacheTooLarge() {
        let limit = PlacementWorker(name: "a", device: "cpu", memoryBytes: 44 << 20, bytesPerSecond: 1e9)
        let error = #expect(throws: PlacementError.self) {
            try Placement(model: model(), demand: demand, workers: [limit]).plan()
        }
        #expect(error?.message.contains("lower serving.max_sequences to 2 (now 4)") == true)
    }

    @Test("hostile sizes stop at the largest number instead of trapping")
    func hugeSizes() {
        let huge = PlacementModel(
            name: "m",
            layers: Array(
                repeating: .init(weightBytes: .max, stateBytesPerToken: .max, stateBytesFixed: .max), count: 3),
            headWeightBytes: .max, scratchBytesPerRow: .max, headScratchBytesPerRow: .max)
        for policy in [PlacementPolicy.balanced, .roundRobin] {
            #expect(throws: PlacementError.self) {
                try Placement(model: huge, demand: demand, workers: [worker("a"), worker("b")], policy: policy).plan()
            }
        }
    }

    @Test("round robin over more shards than workers is a ring")
    func ring() throws {
        let shards = [0..<2, 2..<4, 4..<5, 5..<6, 6..<7, 7..<8]
        let plan = try Placement(
            model: model(shards: shards), demand: demand, workers: [worker("a"), worker("b"), worker("c")],
            policy: .roundRobin
        ).plan()
        expectCover(plan, layers: 8)
        #expect(plan.stages.map(\.worker) == ["a", "b", "c", "a", "b", "c"])
        #expect(plan.stages.map(\.layers) == shards)
        #expect(plan.stageIndices(of: "b") == [1, 4])
        #expect(plan.shares.map(\.units) == ["0-1, 5", "2-3, 6", "4, 7 + head"])
    }

    @Test("neighbouring shards on one worker are one stage")
    func merged() throws {
        let plan = try Placement(
            model: model(shards: [0..<4, 4..<8]), demand: demand, workers: [worker("a")], policy: .roundRobin
        ).plan()
        #expect(plan.stages.map(\.layers) == [0..<8])
    }

    @Test("manual layers are taken as they are; the head goes with the last")
    func manual() throws {
        let plan = try Placement(
            model: model(), demand: demand,
            workers: [
                worker("a", layers: LayerSelection(ranges: [0..<2, 6..<8])),
                worker("b", layers: LayerSelection(ranges: [2..<6])),
            ], policy: .manual
        ).plan()
        expectCover(plan, layers: 8)
        #expect(plan.stages.map(\.worker) == ["a", "b", "a"])
    }

    @Test("the head can stand alone on a worker")
    func manualHead() throws {
        let plan = try Placement(
            model: model(), demand: demand,
            workers: [
                worker("a", layers: LayerSelection(ranges: [0..<8])),
                worker("b", layers: LayerSelection(ranges: [], includesHead: true)),
            ], policy: .manual
        ).plan()
        #expect(plan.stages.map(\.units) == ["0-7", "head"])
        #expect(plan.stages[1].layers.isEmpty)
    }

    @Test(
        "manual layers with holes, overlaps or beyond the model are refused",
        arguments: [
            ([LayerSelection(ranges: [0..<4]), LayerSelection(ranges: [5..<8])], "no worker for layers 4-4"),
            ([LayerSelection(ranges: [0..<5]), LayerSelection(ranges: [4..<8])], "layer 4 on a and b"),
            ([LayerSelection(ranges: [0..<4]), LayerSelection(ranges: [4..<9])], "expected layers below 8"),
            ([LayerSelection(ranges: [0..<4]), LayerSelection(ranges: [4..<7])], "no worker for layers 7-7"),
        ])
    func manualRefused(selections: [LayerSelection], reason: String) {
        let workers = zip(["a", "b"], selections).map { worker($0, layers: $1) }
        let error = #expect(throws: PlacementError.self) {
            try Placement(model: model(), demand: demand, workers: workers, policy: .manual).plan()
        }
        #expect(error?.message.contains(reason) == true)
    }

    @Test("every policy covers each layer once, over many shapes", arguments: 0..<200)
    func covers(seed: Int) throws {
        var generator = Seeded(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1)
        let layerCount = Int.random(in: 1...24, using: &generator)
        let workers = (0..<Int.random(in: 1...6, using: &generator)).map {
            worker("w\($0)", speed: Double.random(in: 1e8...4e10, using: &generator))
        }
        let policy = seed % 2 == 0 ? PlacementPolicy.balanced : .roundRobin
        let plan = try Placement(
            model: model(layers: layerCount), demand: demand, workers: workers, policy: policy,
            objective: PlacementObjective.allCases[seed % 3]
        ).plan()
        expectCover(plan, layers: layerCount)
        #expect(plan.shares.reduce(0) { $0 + $1.layerCount } == layerCount)
    }
}

/// xorshift64*, so that a failing case can be run again.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
