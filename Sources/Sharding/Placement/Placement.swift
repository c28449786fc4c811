/// Deals a model's units out to workers. Pure: the same input gives the same plan.
package struct Placement: Sendable {
    package var model: PlacementModel
    package var demand: PlacementDemand
    /// In the configuration's order, which is the order of stages.
    package var workers: [PlacementWorker]
    package var policy: PlacementPolicy
    package var objective: PlacementObjective
    /// What the ways between the workers, and to and from the coordinator, give.
    package var links: LinkTable
    /// The coordinator's, as ``PlacementWorker/machine``.
    package var machine: String

    /// No stage takes less for a step: reading a message and writing one, on a two-core machine.
    package static let stepSeconds = 100e-6
    /// Rows of a prompt that a CPU computes in the time in which it reads the weights once; about that, on CPUs with
    /// integer dot products.
    package static let promptRowsPerPass = 8.0
    /// What a worker is taken for when none was measured.
    static let assumedBytesPerSecond = 10e9

    package init(
        model: PlacementModel, demand: PlacementDemand, workers: [PlacementWorker],
        policy: PlacementPolicy = .balanced, objective: PlacementObjective = .mixed,
        links: LinkTable = LinkTable(), machine: String = ""
    ) {
        self.model = model
        self.demand = demand
        self.workers = workers
        self.policy = policy
        self.objective = objective
        self.links = links
        self.machine = machine
    }

    package func plan() throws(PlacementError) -> Plan {
        guard !workers.isEmpty else {
            throw PlacementError(.noWorkers, "placement: workers: expected at least 1, got 0; list one to compute")
        }
        let segments =
            switch policy {
            case .balanced: try balancedSegments()
            case .roundRobin: roundRobinSegments()
            case .manual: try manualSegments()
            }
        try checkMemory(segments)
        try checkLinks(segments)
        return describe(segments)
    }

    /// A run of consecutive units (the layer count stands for the head) on one worker.
    struct Segment: Hashable {
        var worker: Int
        var units: Range<Int>
    }

    /// Rates with gaps filled: a worker that was not measured is taken for the mean of those that were.
    var rates: [Double] {
        let known = workers.map(\.bytesPerSecond).filter { $0.isFinite && $0 > 0 }
        let mean = known.isEmpty ? Self.assumedBytesPerSecond : known.reduce(0, +) / Double(known.count)
        return workers.map { $0.bytesPerSecond.isFinite && $0.bytesPerSecond > 0 ? $0.bytesPerSecond : mean }
    }

    /// Neighbours on one worker become one stage: a boundary that is no hop costs nothing to drop.
    static func merged(_ segments: [Segment]) -> [Segment] {
        var merged: [Segment] = []
        for segment in segments where !segment.units.isEmpty {
            if let last = merged.last, last.worker == segment.worker,
                last.units.upperBound == segment.units.lowerBound
            {
                merged[merged.count - 1].units = last.units.lowerBound..<segment.units.upperBound
            } else {
                merged.append(segment)
            }
        }
        return merged
    }

    func units(of worker: Int, in segments: [Segment]) -> [Int] {
        segments.filter { $0.worker == worker }.flatMap { Array($0.units) }
    }

    private func checkMemory(_ segments: [Segment]) throws(PlacementError) {
        var short: [String] = []
        for (index, worker) in workers.enumerated() {
            let units = units(of: index, in: segments)
            guard !units.isEmpty else { continue }
            let load = load(units, on: index)
            if !load.fits {
                let limit = describeBytes(worker.memoryBytes)
                short.append("worker \(worker.name) needs \(load.arithmetic), limit \(limit)")
            }
        }
        guard short.isEmpty else {
            throw PlacementError(
                .doesNotFit, "placement: \(model.name) does not fit: \(short.joined(separator: "; ")); \(advice())")
        }
    }

    /// What would have to change for the model to fit.
    func advice() -> String {
        let all = MemoryNeed(units: 0..<model.unitCount, of: model, demand: demand)
        let limit = workers.reduce(0) { saturatingSum($0, $1.memoryBytes) }
        // Scratch stands on every worker, the sum of the rest can be dealt out.
        let fixed = saturatingSum(all.weightBytes, saturatingProduct(all.scratchBytes, workers.count))
        let cachePerPosition = model.layers.reduce(0) { saturatingSum($0, $1.stateBytesPerToken) }
        if fixed >= limit || cachePerPosition == 0 {
            let missing = describeBytes(max(1, saturatingSum(saturatingSum(fixed, all.cacheBytes), -limit)))
            return "add workers or memory (about \(missing) more), or take a smaller quantisation"
        }
        let positions = (limit - fixed) / cachePerPosition
        if positions >= demand.cachePositions {
            return "deal the layers out differently (policy balanced), or raise that worker's memory"
        }
        let sequences = demand.contextLength > 0 ? positions / demand.contextLength : 0
        return sequences >= 1
            ? "lower serving.max_sequences to \(sequences) (now \(demand.maxSequences)), or add workers or memory"
            : "lower model.context to about \(positions) (now \(demand.contextLength)), or add workers or memory"
    }

    private func describe(_ segments: [Segment]) -> Plan {
        let stages = segments.map { segment in
            Plan.Stage(
                worker: workers[segment.worker].name,
                layers: segment.units.clamped(to: 0..<model.layers.count),
                includesHead: segment.units.contains(model.layers.count))
        }
        var shares: [Plan.Share] = []
        var leftOut: [String] = []
        for (index, worker) in workers.enumerated() {
            let units = units(of: index, in: segments)
            guard !units.isEmpty else {
                leftOut.append("\(worker.name): left out, it would only slow the others down or cannot hold a layer")
                continue
            }
            let own = stages.filter { $0.worker == worker.name }
            shares.append(
                Plan.Share(
                    worker: worker.name, device: worker.device, units: own.map(\.units).joined(separator: ", "),
                    layerCount: own.reduce(0) { $0 + $1.layers.count },
                    need: MemoryNeed(units: units, of: model, demand: demand), limitBytes: worker.memoryBytes,
                    streamedBytes: load(units, on: index).streamedBytes,
                    secondsPerToken: seconds(units, on: index, .generation(sequences: 1))))
        }
        return Plan(
            policy: policy, stages: stages, shares: shares, hops: hops(segments), leftOut: leftOut,
            prediction: prediction(segments), alone: aloneOnTheFastest())
    }
}
