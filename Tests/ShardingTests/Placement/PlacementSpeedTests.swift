import Tensors
import Testing

@testable import Sharding

@Suite("Placement by measured speed")
struct PlacementSpeedTests {
    /// Sixteen layers of 34 MB, and a head as large as six of them.
    private let model = PlacementModel(
        name: "m",
        layers: Array(
            repeating: PlacementModel.Layer(
                weightBytes: 34_000_000, matrixBytes: [.q4_K: 34_000_000], stateBytesPerToken: 1024), count: 16),
        headWeightBytes: 215_000_000, headMatrixBytes: [.q6_K: 215_000_000], rowBytes: 8192,
        scratchBytesPerRow: 1024, headScratchBytesPerRow: 2048)

    private let demand = PlacementDemand(
        contextLength: 2048, maxSequences: 16, cachePositions: 32768, maxRows: 512, maxHeadRows: 16)

    /// One row at 10 GB/s, and then about as many rows a second, however many there are: a processor that computes.
    private func speed(_ factor: Double = 1, machine: Double = 0) -> ComputeSpeed? {
        ComputeSpeed(
            bytesPerSecond: [
                .q4_K: [10e9, 8e9, 2e9, 0.7e9].map { $0 * factor },
                .q6_K: [12e9, 10e9, 2.6e9, 0.9e9].map { $0 * factor },
            ], machineBytesPerSecond: machine)
    }

    private func worker(_ name: String, _ speed: ComputeSpeed?, machine: String = "", disk: Double? = nil)
        -> PlacementWorker
    {
        PlacementWorker(
            name: name, device: "cpu", memoryBytes: 8 << 30, bytesPerSecond: 10e9, speed: speed,
            disk: disk.map { PlacementDisk(bytesPerSecond: $0) }, machine: machine)
    }

    private func plan(_ workers: [PlacementWorker], _ objective: PlacementObjective = .mixed) throws -> Plan {
        try Placement(model: model, demand: demand, workers: workers, objective: objective).plan()
    }

    @Test("rows between those that were measured stand on a line between them, more rows in proportion")
    func interpolation() throws {
        let speed = try #require(
            ComputeSpeed(bytesPerSecond: [.q4_K: [10e9, 5e9, 2e9, 1e9], .q8_0: [20e9, 10e9, 4e9, 2e9]]))
        func seconds(_ type: ElementType, _ rows: Int) -> Double { speed.seconds([type: 1_000_000_000], rows: rows) }
        #expect(abs(seconds(.q4_K, 1) - 0.1) < 1e-9)
        #expect(abs(seconds(.q4_K, 2) - (0.1 + 0.1 / 3)) < 1e-9)
        #expect(abs(seconds(.q4_K, 10) - (0.2 + 0.5) / 2) < 1e-9)
        #expect(abs(seconds(.q4_K, 96) - 2) < 1e-9)
        // A type that was not measured is taken for its neighbour by bits.
        #expect(seconds(.q5_0, 1) == seconds(.q4_K, 1))
        #expect(seconds(.f32, 1) == seconds(.q8_0, 1))
        #expect(abs(speed.seconds([.q4_K: 500_000_000, .q8_0: 500_000_000], rows: 1) - 0.075) < 1e-9)
        #expect(speed.seconds([:], rows: 4) == 0)
    }

    @Test("what workers of one device found is one figure for each, by the threads that each has")
    func mean() throws {
        let one = try #require(
            ComputeSpeed(bytesPerSecond: [.q4_K: [8, 4, 2, 1]], machineBytesPerSecond: 20))
        let other = try #require(
            ComputeSpeed(
                bytesPerSecond: [.q4_K: [12, 8, 4, 2], .f16: [1, 1, 1, 1]], machineBytesPerSecond: 30))
        let mean = try #require(ComputeSpeed(meanOf: [one, other]))
        #expect(mean.bytesPerSecond == [.q4_K: [10, 6, 3, 1.5], .f16: [1, 1, 1, 1]])
        #expect(mean.machineBytesPerSecond == 30)
        #expect(one.scaled(by: 2).bytesPerSecond == [.q4_K: [16, 8, 4, 2]])
        #expect(ComputeSpeed(meanOf: []) == nil)
    }

    @Test("speeds that are none are refused")
    func invalid() {
        #expect(ComputeSpeed(bytesPerSecond: [:]) == nil)
        #expect(ComputeSpeed(bytesPerSecond: [.f16: [1, 2, 3]]) == nil)
        #expect(ComputeSpeed(bytesPerSecond: [.f16: [1, 2, 3, 0]]) == nil)
        #expect(ComputeSpeed(bytesPerSecond: [.f16: [1, 2, 3, .infinity]]) == nil)
        #expect(ComputeSpeed(bytesPerSecond: [.f16: [1, 2, 3, 4]], machineBytesPerSecond: -1) == nil)
    }

    @Test("prompts do not pass the head, so their layers are shared evenly; tokens do")
    func objectives() throws {
        let workers = [worker("a", speed()), worker("b", speed())]
        #expect(try plan(workers, .prompt).stages.map(\.layers.count) == [8, 8])
        let decode = try plan(workers, .decode)
        #expect(decode.stages.count == 2 && decode.stages[0].layers.count > 9)
        let mixed = try plan(workers).stages.map(\.layers.count)
        #expect(mixed.count == 2 && (8...decode.stages[0].layers.count).contains(mixed[0]))
    }

    @Test("what is predicted follows from the times of the units")
    func prediction() throws {
        let one = try plan([worker("a", speed())])
        let single = 16 * 34e6 / 10e9 + 215e6 / 12e9
        #expect(abs(1 / one.prediction.tokensPerSecond - single) < 0.001)
        // 512 rows in one chunk, at the rate of many rows; the head for the last of them.
        #expect(abs(512 / one.prediction.promptTokensPerSecond - (16 * 34e6 / 0.7e9 * 512 / 48 + 215e6 / 12e9)) < 0.01)
        let two = try plan([worker("a", speed()), worker("b", speed())], .prompt)
        // Eleven chunks: the first fills the stages, the last drains them.
        #expect(two.prediction.promptTokensPerSecond > 1.75 * one.prediction.promptTokensPerSecond)
        #expect(two.prediction.promptTokensPerSecond < 2 * one.prediction.promptTokensPerSecond)
        // Where computing takes the time, two give nearly twice as much for many; one sequence gains nothing.
        let most = try plan([worker("a", speed()), worker("b", speed())], .decode)
        #expect(most.prediction.pipelinedTokensPerSecond > 1.6 * one.prediction.pipelinedTokensPerSecond)
        #expect(most.prediction.tokensPerSecond < 1.01 * one.prediction.tokensPerSecond)
        #expect(most.alone?.worker == "a")
        #expect(most.alone?.pipelinedTokensPerSecond == one.prediction.pipelinedTokensPerSecond)
    }

    @Test("workers that share a machine's memory are not promised more than it reads")
    func sharedMemory() throws {
        let apart = try plan([worker("a", speed(8), machine: "x"), worker("b", speed(8), machine: "y")], .decode)
        let fast = [
            worker("a", speed(8, machine: 90e9), machine: "x"), worker("b", speed(8, machine: 90e9), machine: "x"),
        ]
        let together = try plan(fast, .decode)
        #expect(together.prediction.eightTokensPerSecond < 0.9 * apart.prediction.eightTokensPerSecond)
        // All weights are read once for each step, of which eight sequences make two or one.
        let bytes = Double(16 * 34_000_000 + 215_000_000)
        #expect(together.prediction.eightTokensPerSecond <= 8 * 90e9 / bytes)
    }

    @Test("a slow worker is left out where it would hold the others up, and kept where it helps")
    func slow() throws {
        let tenth = try plan([worker("a", speed()), worker("b", speed(0.02))], .decode)
        #expect(tenth.stages.map(\.worker) == ["a"])
        #expect(tenth.leftOut.count == 1)
        #expect(try plan([worker("a", speed()), worker("b", speed(0.5))], .prompt).stages.count == 2)
    }

    @Test("a prompt passes workers that read from disk in chunks as large as they may be")
    func disk() throws {
        let workers = [worker("a", speed(), disk: 1e9), worker("b", speed())]
        var tight = workers
        tight[0].memoryBytes = 300 << 20
        let plan = try Placement(
            model: model,
            demand: PlacementDemand(
                contextLength: 512, maxSequences: 1, cachePositions: 512, maxRows: 512, maxHeadRows: 1),
            workers: [tight[0]]
        ).plan()
        #expect((plan.shares[0].streamedBytes ?? 0) > 0 && plan.promptChunkRows == .max)
        #expect(try self.plan(workers).promptChunkRows == 48 || self.plan(workers).shares.count == 1)
    }
}
