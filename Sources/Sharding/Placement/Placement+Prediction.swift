extension Placement {
    /// Time to read the weights of `units` once, which one generated token takes at least.
    func seconds(_ units: some Sequence<Int>, on worker: Int) -> Double {
        units.reduce(0.0) { $0 + Double(model.weightBytes(ofUnit: $1)) } / rates[worker]
    }

    func prediction(_ segments: [Segment]) -> Plan.Prediction {
        var busy = [Double](repeating: 0, count: workers.count)
        for segment in segments { busy[segment.worker] += seconds(segment.units, on: segment.worker) }
        let hops = hops(segments)
        let latency = busy.reduce(0, +) + hops.reduce(0) { $0 + $1.estimate.seconds(ofBytes: model.rowBytes) }
        let slowestHop = hops.map { Double(model.rowBytes) / $0.estimate.bytesPerSecond }.max() ?? 0
        let slowest = max(busy.max() ?? 0, slowestHop, Self.stepSeconds)
        // No more tokens are on their way at once than there are sequences.
        let pipelined = max(slowest, latency / Double(max(1, demand.maxSequences)))
        return Plan.Prediction(tokensPerSecond: 1 / latency, pipelinedTokensPerSecond: 1 / pipelined)
    }

    func aloneOnTheFastest() -> Plan.Prediction? {
        let need = MemoryNeed(units: 0..<model.unitCount, of: model, demand: demand)
        let able = workers.indices.filter { workers[$0].memoryBytes >= need.totalBytes }
        // The first of equals, so that a plan does not depend on the order of a comparison.
        guard let fastest = able.max(by: { (rates[$0], $1) < (rates[$1], $0) }) else { return nil }
        var prediction = prediction([Segment(worker: fastest, units: 0..<model.unitCount)])
        prediction.worker = workers[fastest].name
        return prediction
    }
}
