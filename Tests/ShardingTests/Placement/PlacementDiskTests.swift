import Testing

@testable import Sharding

@Suite("Placement over workers that read from disk")
struct PlacementDiskTests {
    /// 32 layers of 140 MB and a head of 400: 4.9 GB.
    private let model = PlacementModel(
        name: "m",
        layers: Array(repeating: PlacementModel.Layer(weightBytes: 140_000_000, stateBytesPerToken: 4096), count: 32),
        headWeightBytes: 400_000_000, scratchBytesPerRow: 1024, headScratchBytesPerRow: 2048)

    private func demand(maxSequences: Int = 1) -> PlacementDemand {
        PlacementDemand(
            contextLength: 512, maxSequences: maxSequences, cachePositions: 512 * maxSequences, maxRows: 256,
            maxHeadRows: 4)
    }

    private func worker(_ name: String, memoryMiB: Int, disk: Double? = 1e9, speed: Double = 20e9) -> PlacementWorker {
        PlacementWorker(
            name: name, device: "cpu", memoryBytes: memoryMiB << 20, bytesPerSecond: speed,
            disk: disk.map { PlacementDisk(bytesPerSecond: $0) }, machine: name)
    }

    private func plan(_ workers: [PlacementWorker], maxSequences: Int = 1) throws -> Plan {
        try Placement(model: model, demand: demand(maxSequences: maxSequences), workers: workers).plan()
    }

    @Test(
        "a model larger than memory is refused by a worker that holds its weights, and streamed by one that reads them")
    func largerThanMemory() throws {
        #expect(throws: PlacementError.self) { try plan([worker("a", memoryMiB: 2048, disk: nil)]) }
        let share = try #require(try plan([worker("a", memoryMiB: 2048)]).shares.first)
        let streamed = try #require(share.streamedBytes)
        #expect(streamed > 4_880_000_000 - 2048 << 20 && streamed < 4_880_000_000)
        // The disk is what one waits for.
        #expect(abs(share.secondsPerToken - Double(streamed) / 1e9) < 0.01)
    }

    @Test("two disks read for twice as many sequences in the time of one, and hold twice as much")
    func twoDisks() throws {
        let one = try plan([worker("a", memoryMiB: 1024)], maxSequences: 8)
        let pair = [worker("a", memoryMiB: 1024), worker("b", memoryMiB: 1024)]
        let two = try plan(pair, maxSequences: 16)
        #expect(two.shares.count == 2)
        let streamed = two.shares.compactMap(\.streamedBytes).reduce(0, +)
        let alone = try #require(one.shares.first?.streamedBytes)
        #expect(streamed < alone)
        #expect(two.prediction.pipelinedTokensPerSecond > 2 * one.prediction.pipelinedTokensPerSecond)
        // Even one sequence gains what the second worker's memory holds.
        #expect(try plan(pair, maxSequences: 8).prediction.tokensPerSecond > 1.2 * one.prediction.tokensPerSecond)
    }

    @Test("a plan mixes workers that hold their weights with one that reads some of them")
    func mixed() throws {
        let plan = try plan([worker("fast", memoryMiB: 4096, disk: nil), worker("small", memoryMiB: 512)])
        let shares = Dictionary(uniqueKeysWithValues: plan.shares.map { ($0.worker, $0) })
        #expect(shares["fast"]?.streamedBytes == nil)
        let (small, fast) = (try #require(shares["small"]), try #require(shares["fast"]))
        #expect((small.streamedBytes ?? 0) > 0)
        #expect(fast.layerCount > 20, "the disk is slow: memory is filled first")
    }

    @Test("a disk that was not measured is taken for a common one, and a faster one gets more")
    func rates() throws {
        let unknown = try plan([worker("a", memoryMiB: 1024, disk: 0)])
        let common = try plan([worker("a", memoryMiB: 1024, disk: 1e9)])
        #expect(unknown.prediction == common.prediction)
        let both = try plan(
            [worker("slow", memoryMiB: 512, disk: 0.5e9), worker("quick", memoryMiB: 512, disk: 3e9)], maxSequences: 8)
        let layers = Dictionary(uniqueKeysWithValues: both.shares.map { ($0.worker, $0.layerCount) })
        let quick = try #require(layers["quick"])
        #expect(quick > 2 * (layers["slow"] ?? 0))
    }

    @Test("a worker without room for cache and reading is refused, with the sum")
    func tooSmall() throws {
        let error = try #require(throws: PlacementError.self) { try plan([worker("a", memoryMiB: 40)]) }
        #expect(error.code == .doesNotFit)
        #expect(error.message.contains("read from disk"), "\(error)")
        // What is advised is enough.
        let advice = try #require(error.message.firstMatch(of: /give worker a at least ([0-9.]+) MiB/), "\(error)")
        let bytes = Int(try #require(Double(advice.1)).rounded(.up))
        #expect(try plan([worker("a", memoryMiB: bytes)]).shares.count == 1)
    }

    @Test("what a worker's program holds is not there for weights")
    func program() throws {
        let streamed = try [50, 150].map { programMiB in
            var worker = worker("a", memoryMiB: 2048)
            worker.disk?.programBytes = programMiB << 20
            return try #require(try plan([worker]).shares.first?.streamedBytes)
        }
        let difference = streamed[1] - streamed[0]
        #expect(difference > 90 << 20 && difference <= 100 << 20)
    }

    @Test("more memory never makes the plan slower", arguments: 0..<20)
    func monotone(step: Int) throws {
        let small = try plan([worker("a", memoryMiB: 256 + 200 * step)])
        let large = try plan([worker("a", memoryMiB: 256 + 200 * step + 50)])
        #expect(large.prediction.tokensPerSecond >= small.prediction.tokensPerSecond)
    }
}
