import Foundation

extension Placement {
    /// Contiguous runs in the workers' order, as long as each worker's rate and memory allow. Workers that would only
    /// hold the others up get none.
    ///
    /// The objective weighs the slowest worker or link, which a prompt's chunks wait for, and the sum of all, which one
    /// token passes. For either alone there is a best partition. For both at once the slowest is allowed more and more,
    /// and the least sum found for each limit; their product decides.
    func balancedSegments() throws(PlacementError) -> [Segment] {
        if isMeasured { return try bestPredicted() }
        let single = UnitTimes(self, .generation(sequences: 1))
        let costs = SplitCosts(self) { single[$0, $1] }
        guard let fastest = costs.partition(by: .slowest), let shortest = costs.partition(by: .sum) else {
            throw noPartition()
        }
        switch objective {
        case .prompt: return (costs.partition(by: .sum, slowestMax: fastest.cost.slowest) ?? fastest).segments
        case .decode: return shortest.segments
        case .mixed:
            let inFlight = max(1, demand.maxSequences)
            var best = fastest
            var limit = fastest.cost.slowest
            let last = min(shortest.cost.slowest, best.cost.product(inFlight: inFlight) / shortest.cost.sum)
            let step = max(Self.limitStep, pow(last / limit, 1 / Double(costs.trialsMax)))
            // From there on the shortest is the answer; and beyond the bound even its sum makes no better product.
            while limit < shortest.cost.slowest,
                limit * shortest.cost.sum < best.cost.product(inFlight: inFlight)
            {
                if let split = costs.partition(by: .sum, slowestMax: limit) {
                    best = split.cost.isClearlyBetter(than: best.cost, inFlight: inFlight) ? split : best
                }
                limit *= step
            }
            return (shortest.cost.isClearlyBetter(than: best.cost, inFlight: inFlight) ? shortest : best).segments
        }
    }

    /// From one limit to the next, where there are not so many workers that it would take minutes.
    private static let limitStep = 1.03

    /// Of several partitions, the one of which most is predicted: some even out what prompts take, some what generation
    /// takes, some are between; one is the shortest for a single sequence.
    private func bestPredicted() throws(PlacementError) -> [Segment] {
        let several = UnitTimes(
            self, .generation(sequences: max(1, min(Self.severalSequences, demand.maxSequences) / 2)))
        let chunk = UnitTimes(self, .prompt(rows: max(1, min(Plan.sharedChunkRows, demand.maxRows))))
        let (generation, prompt) = (mean(several), mean(chunk))
        let single = UnitTimes(self, .generation(sequences: 1))
        guard let shortest = SplitCosts(self, seconds: { single[$0, $1] }).partition(by: .sum) else {
            throw noPartition()
        }
        var best = (segments: shortest.segments, score: score(shortest.segments))
        for share in [0, 0.25, 0.5, 0.75, 1] {
            let costs = SplitCosts(self) { unit, worker in
                (1 - share) * several[unit, worker] + share * chunk[unit, worker] * generation / prompt
            }
            guard let fastest = costs.partition(by: .slowest) else { continue }
            let even = costs.partition(by: .sum, slowestMax: fastest.cost.slowest) ?? fastest
            let score = score(even.segments)
            if score > best.score * (1 + 1e-9) { best = (even.segments, score) }
        }
        return best.segments
    }

    /// Of the whole model, over all workers.
    private func mean(_ times: UnitTimes) -> Double {
        workers.indices.reduce(0) { sum, worker in
            sum + max(times.sum(on: worker), load(0..<model.unitCount, on: worker).diskSeconds)
        } / Double(workers.count)
    }

    /// What the objective makes of what is predicted: for one sequence, for several and for as many as there may be; for prompts;
    /// or for all of it.
    private func score(_ segments: [Segment]) -> Double {
        let prediction = prediction(segments)
        let generation = cbrt(
            prediction.tokensPerSecond * prediction.eightTokensPerSecond * prediction.pipelinedTokensPerSecond)
        return switch objective {
        case .prompt: prediction.promptTokensPerSecond
        case .decode: generation
        case .mixed: generation * prediction.promptTokensPerSecond
        }
    }

    /// No partition: for want of memory, or of ways between those who have it.
    private func noPartition() -> PlacementError {
        var linked = self
        linked.links = LinkTable()
        if SplitCosts(linked, seconds: { _, _ in 0 }).partition(by: .slowest) != nil {
            let obstacles = links.findings.filter { if case .unreachable = $0.value { true } else { false } }
            if let edge = obstacles.keys.min(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
                return unreachable(edge.from, edge.to)
            }
        }
        let need = MemoryNeed(units: 0..<model.unitCount, of: model, demand: demand)
        let limits = workers.indices.map { index in
            let worker = workers[index]
            // One that reads from disk may lack room even for a layer alone.
            let beside = worker.disk == nil ? "" : ", and \(load(0..<1, on: index).arithmetic) for one layer"
            return "\(worker.name) \(describeBytes(worker.memoryBytes))\(beside)"
        }.joined(separator: "; ")
        return PlacementError(
            .doesNotFit,
            "placement: \(model.name) does not fit: needs \(need.arithmetic), limits \(limits); \(streamingAdvice() ?? advice())"
        )
    }

    /// The least memory with which a worker that reads weights from its disk could do all alone; nil where there is none.
    private func streamingAdvice() -> String? {
        let least = workers.indices.compactMap { index in
            load(0..<model.unitCount, on: index).smallestBytes.map { (bytes: $0, name: workers[index].name) }
        }.min { $0.bytes < $1.bytes }
        return least.map { "give worker \($0.name) at least \(describeBytes($0.bytes)), or lower model.context" }
    }
}
