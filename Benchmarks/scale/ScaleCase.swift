import Sharding
import Simulation

/// One cluster with one load.
struct ScaleCase {
    var model: ModelShape
    var workerCount: Int
    var gigabits: Double
    /// Sequences that generate at once for each stage; nil: one altogether.
    var streamsPerStage: Int?
    /// Without its memory.
    var device: SimulatedSetup.Device
    var roundTrip: Duration

    /// What `serving.max_sequences` can be at most.
    private static let sequencesMax = 4096
    private static let promptTokens = 16
    /// Times that a token takes through the empty pipeline: until all is as it stays, and that are looked at.
    private static let warmUpPasses = 7.0
    private static let passes = 4.0

    var streamCount: Int { streamsPerStage.map(sequences) ?? 1 }

    /// For which the cluster is planned, whatever its load; a stage has a layer at least, or the head.
    private var maxSequences: Int { sequences(perStage: max(4, streamsPerStage ?? 0)) }

    private func sequences(perStage count: Int) -> Int {
        min(Self.sequencesMax, count * min(workerCount, model.layerCount + 1))
    }

    private var setup: SimulatedSetup {
        let placement = model.placementModel
        var setup = SimulatedSetup(
            model: placement, devices: [],
            link: LinkEstimate(roundTrip: roundTrip, bytesPerSecond: gigabits * 1e9 / 8), maxSequences: maxSequences)
        let weights = placement.layers.reduce(placement.headWeightBytes) { $0 + $1.weightBytes }
        let state = placement.layers.reduce(0) { $0 + $1.stateBytesPerToken } * setup.contextLength * maxSequences
        let units = placement.layers.count + 1
        // Twice as much as its part takes, and for a unit more.
        var device = device
        device.memoryBytes = 2 * ((weights + state) / min(workerCount, units) + (weights + state) / units) + 1 << 30
        setup.devices = Array(repeating: device, count: workerCount)
        return setup
    }

    func run() throws -> ScaleResult {
        var simulation = try Simulation(setup, decisions: .measured)
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
