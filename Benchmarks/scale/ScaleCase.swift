import Sharding
import Simulation

/// One cluster with one load.
struct ScaleCase {
    var model: ModelShape
    var workerCount: Int
    var gigabits: Double
    /// Sequences that generate at once for each stage; nil: one altogether.
    var streamsPerStage: Int?
    var device: SimulatedSetup.Device
    var roundTrip: Duration

    /// What `serving.max_sequences` can be at most.
    private static let sequencesMax = 4096
    private static let promptTokens = 16
    /// Times that a token takes through the empty pipeline: until all is as it stays, and that are looked at.
    private static let warmUpPasses = 7.0
    private static let passes = 8.0

    var streamCount: Int {
        guard let streamsPerStage else { return 1 }
        return min(Self.sequencesMax, streamsPerStage * min(workerCount, model.layerCount + 1))
    }

    func run() throws -> ScaleResult {
        let link = LinkEstimate(roundTrip: roundTrip, bytesPerSecond: gigabits * 1e9 / 8)
        var simulation = try Simulation(
            SimulatedSetup(
                model: model.placementModel, devices: Array(repeating: device, count: workerCount), link: link,
                maxSequences: streamCount),
            decisions: .measured)
        let pass = simulation.passSeconds
        // Some answers end within the time, and others begin.
        let load = SimulatedLoad(
            .kept(streamCount), promptTokens: Self.promptTokens...Self.promptTokens, answerTokens: 64...448)
        let report = try simulation.run(
            load, warmUp: Self.warmUpPasses * pass, seconds: Self.passes * pass)
        return ScaleResult(test: self, report: report)
    }
}

struct ScaleResult {
    var test: ScaleCase
    var report: SimulationReport
}
