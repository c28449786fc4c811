import Sharding
import Simulation
import Testing

/// The decisions in virtual time, over stages whose times are known: is whoever holds the others up always at work?
@Suite("Stages that compute all the time")
struct StageBusyTests {
    /// Layers of 100 MB, which take 5 ms, and a head of the same size.
    private func model(layers: Int) -> PlacementModel {
        PlacementModel(
            name: "m",
            layers: Array(repeating: .init(weightBytes: 100_000_000, stateBytesPerToken: 1024), count: layers),
            headWeightBytes: 100_000_000, rowBytes: 16384, scratchBytesPerRow: 1024, headScratchBytesPerRow: 1024)
    }

    private func device(_ layers: Range<Int>? = nil) -> SimulatedSetup.Device {
        var device = SimulatedSetup.Device(bytesPerSecond: 20e9)
        device.layers = layers
        return device
    }

    private func setup(
        layers: Int, _ devices: [SimulatedSetup.Device], maxSequences: Int
    ) -> SimulatedSetup {
        SimulatedSetup(
            model: model(layers: layers), devices: devices,
            link: LinkEstimate(roundTrip: .microseconds(200), bytesPerSecond: 1.25e9), maxSequences: maxSequences)
    }

    /// Four units for each worker.
    private func equal(_ workerCount: Int) -> SimulatedSetup {
        setup(
            layers: 4 * workerCount - 1, Array(repeating: device(), count: workerCount), maxSequences: 4 * workerCount)
    }

    /// Runs of 2, 3, 4, 2, 3, 4, … layers, the head with the last.
    private func unequal(_ workerCount: Int) -> SimulatedSetup {
        var devices: [SimulatedSetup.Device] = []
        var next = 0
        for index in 0..<workerCount {
            devices.append(device(next..<next + 2 + index % 3))
            next += 2 + index % 3
        }
        return setup(layers: next, devices, maxSequences: 4 * workerCount)
    }

    private func generating(_ streams: Int) -> SimulatedLoad {
        SimulatedLoad(.kept(streams), promptTokens: 8...16, answerTokens: 400...480)
    }

    @Test("with four streams a stage, equal stages compute at least 95 % of the time", arguments: [2, 4, 8])
    func equalStages(workerCount: Int) throws {
        var simulation = try Simulation(equal(workerCount))
        let report = try simulation.run(generating(4 * workerCount), warmUp: 10, seconds: 20)
        #expect(report.stageShares.count == workerCount)
        #expect((report.stageShares.min() ?? 0) >= 0.95, "\(report.stageShares)")
        // Four rows a step.
        let ideal = 4 / report.slowestSeconds
        #expect(report.tokensPerSecond > 0.95 * ideal && report.tokensPerSecond <= 1.01 * ideal)
    }

    @Test("of unequal stages the slowest computes at least 95 % of the time", arguments: [2, 4, 8])
    func unequalStages(workerCount: Int) throws {
        var simulation = try Simulation(unequal(workerCount))
        let report = try simulation.run(generating(4 * workerCount), warmUp: 10, seconds: 20)
        #expect(report.stageShares.count == workerCount)
        #expect(report.busiestShare >= 0.95, "\(report.stageShares)")
    }

    @Test("prompts that arrive in between leave the slowest no idle time", arguments: [2, 4, 8], [false, true])
    func prompts(workerCount: Int, isUnequal: Bool) throws {
        var simulation = try Simulation(isUnequal ? unequal(workerCount) : equal(workerCount))
        let report = try simulation.run(
            SimulatedLoad(.kept(4 * workerCount), promptTokens: 16...200, answerTokens: 32...160), warmUp: 20,
            seconds: 40)
        #expect(report.firstToken.median > 0)
        #expect(report.busiestShare >= 0.95, "\(report.stageShares)")
    }

    @Test("one stream uses one stage at a time")
    func oneStream() throws {
        var simulation = try Simulation(equal(4))
        let report = try simulation.run(generating(1), warmUp: 1, seconds: 10)
        #expect(report.stageShares.reduce(0, +) <= 1)
        #expect(abs(report.tokensPerSecond - 1 / report.passSeconds) < 0.1)
    }

    @Test("with two disks instead of one, workers that read from them give at least twice the tokens")
    func twoDisks() throws {
        var disk = device()
        disk.memoryBytes = 1 << 30
        disk.diskBytesPerSecond = 1e9
        let rates = try [1, 2].map { workerCount in
            var simulation = try Simulation(
                setup(layers: 39, Array(repeating: disk, count: workerCount), maxSequences: 16))
            return try simulation.run(generating(16), warmUp: 60, seconds: 300).tokensPerSecond
        }
        #expect(rates[1] > 2 * rates[0], "\(rates)")
    }

    @Test("a simulation is the same each time")
    func deterministic() throws {
        let load = SimulatedLoad(.poisson(perSecond: 2), promptTokens: 16...100, answerTokens: 16...64, seed: 7)
        let counts = try (0..<2).map { _ in
            var simulation = try Simulation(equal(4))
            return try simulation.run(load, warmUp: 5, seconds: 30).counts
        }
        #expect(counts[0] == counts[1] && counts[0].requests > 0)
    }
}
