extension Placement {
    /// Of the prompt that is predicted, where the context has room for it.
    package static let predictedPromptRows = 512
    /// Sequences that a small group of users has.
    package static let severalSequences = 8

    func prediction(_ segments: [Segment]) -> Plan.Prediction {
        Plan.Prediction(
            tokensPerSecond: generationRate(segments, sequences: 1),
            eightTokensPerSecond: generationRate(segments, sequences: min(Self.severalSequences, demand.maxSequences)),
            pipelinedTokensPerSecond: generationRate(segments, sequences: max(1, demand.maxSequences)),
            promptTokensPerSecond: promptRate(segments))
    }

    /// The best of what the scheduler may choose: a step on its way for each worker and one more, or, of workers that share
    /// a machine's memory, one step in turn.
    private func generationRate(_ segments: [Segment], sequences: Int) -> Double {
        let depth = Set(segments.map(\.worker)).count
        let machineCount = Set(segments.map { workers[$0.worker].machine }).count
        let choices = [depth, depth + 1] + (machineCount < depth ? [machineCount] : [])
        return choices.map { generationRate(segments, sequences: sequences, steps: min($0, sequences)) }.max() ?? 0
    }

    private func generationRate(_ segments: [Segment], sequences: Int, steps: Int) -> Double {
        let work = Work.generation(sequences: (sequences + steps - 1) / steps)
        let pass = pass(segments, work)
        return Double(sequences) / (Double(steps) * max(pass.slowest, pass.sum / Double(steps)))
    }

    private func promptRate(_ segments: [Segment]) -> Double {
        let rows = max(1, min(Self.predictedPromptRows, demand.contextLength))
        let users = Set(segments.map(\.worker))
        let chunk = max(
            1,
            min(
                Plan.promptChunkRows(workerCount: users.count, streams: users.contains { workers[$0].disk != nil }),
                rows, demand.maxRows))
        let pass = pass(segments, .prompt(rows: chunk))
        let head = seconds([model.layers.count], on: segments[segments.count - 1].worker, .generation(sequences: 1))
        let chunkCount = Double(rows) / Double(chunk)
        return Double(rows) / (pass.sum + max(0, chunkCount - 1) * pass.slowest + (isMeasured ? head : 0))
    }

    /// Of a step through all segments: the sum of all that it passes, and what holds up the step behind it most.
    private func pass(_ segments: [Segment], _ work: Work) -> SplitCost {
        var cost = SplitCost()
        for worker in workers.indices {
            let units = units(of: worker, in: segments)
            guard !units.isEmpty else { continue }
            let seconds = seconds(units, on: worker, work)
            cost.add(SplitCost(slowest: max(seconds, Self.stepSeconds), sum: seconds))
        }
        for hop in hops(segments) {
            let bytes = saturatingProduct(work.rows, model.rowBytes)
            cost.add(
                SplitCost(
                    slowest: Double(bytes) / hop.estimate.bytesPerSecond, sum: hop.estimate.seconds(ofBytes: bytes)))
        }
        cost.slowest = max(cost.slowest, memorySeconds(segments))
        return cost
    }

    func aloneOnTheFastest() -> Plan.Prediction? {
        let all = 0..<model.unitCount
        let able = workers.indices.filter { load(all, on: $0).fits }
        let seconds = workers.indices.map { self.seconds(all, on: $0, .generation(sequences: 1)) }
        // The first of equals, so that a plan does not depend on the order of a comparison.
        guard let fastest = able.min(by: { (seconds[$0], $0) < (seconds[$1], $1) }) else { return nil }
        var prediction = prediction([Segment(worker: fastest, units: all)])
        prediction.worker = workers[fastest].name
        return prediction
    }
}
