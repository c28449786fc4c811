extension Placement {
    /// Time to read the weights of `units` once, which one generated token takes at least.
    func seconds(_ units: some Sequence<Int>, on worker: Int) -> Double {
        load(units, on: worker).seconds(rate: rates[worker])
    }

    func load(_ units: some Sequence<Int>, on worker: Int) -> WorkerLoad {
        WorkerLoad(
            worker: workers[worker], need: MemoryNeed(units: units, of: model, demand: demand),
            hasMixtures: model.hasMixtures)
    }

    func prediction(_ segments: [Segment]) -> Plan.Prediction {
        var busy = [Double](repeating: 0, count: workers.count)
        for worker in workers.indices {
            let units = units(of: worker, in: segments)
            if !units.isEmpty { busy[worker] = seconds(units, on: worker) }
        }
        let hops = hops(segments)
        let latency = busy.reduce(0, +) + hops.reduce(0) { $0 + $1.estimate.seconds(ofBytes: model.rowBytes) }
        let slowestHop = hops.map { Double(model.rowBytes) / $0.estimate.bytesPerSecond }.max() ?? 0
        let slowest = max(busy.max() ?? 0, slowestHop, Self.stepSeconds)
        // No more tokens are on their way at once than there are sequences.
        let pipelined = max(slowest, latency / Double(max(1, demand.maxSequences)))
        return Plan.Prediction(tokensPerSecond: 1 / latency, pipelinedTokensPerSecond: 1 / pipelined)
    }

    func aloneOnTheFastest() -> Plan.Prediction? {
        let loads = workers.indices.map { load(0..<model.unitCount, on: $0) }
        let able = workers.indices.filter { loads[$0].fits }
        let seconds = zip(loads, rates).map { $0.seconds(rate: $1) }
        // The first of equals, so that a plan does not depend on the order of a comparison.
        guard let fastest = able.min(by: { (seconds[$0], $0) < (seconds[$1], $1) }) else { return nil }
        var prediction = prediction([Segment(worker: fastest, units: 0..<model.unitCount)])
        prediction.worker = workers[fastest].name
        return prediction
    }
}
