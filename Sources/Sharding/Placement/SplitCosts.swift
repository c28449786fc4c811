/// What the ways and the units cost on each worker, and the partition that costs least.
struct SplitCosts {
    let workerCount: Int
    let unitCount: Int
    /// Of a step's way between two workers; at `workerCount` stands the coordinator.
    private let hops: [[SplitCost]]
    private let sums: UnitSums
    /// By worker: seconds of the units before each index.
    private let computeSeconds: [[Double]]
    private let workers: [PlacementWorker]

    enum Measure {
        case slowest
        case sum
    }

    /// - Parameter seconds: that a worker computes on a unit: unit, worker.
    init(_ placement: Placement, seconds: (Int, Int) -> Double) {
        workerCount = placement.workers.count
        unitCount = placement.model.unitCount
        sums = UnitSums(model: placement.model, demand: placement.demand)
        computeSeconds = placement.workers.indices.map { worker in
            (0..<placement.model.unitCount).reduce(into: [0]) { sums, unit in
                sums.append(sums[unit] + seconds(unit, worker))
            }
        }
        workers = placement.workers
        let ends = placement.workers.indices.map(Optional.some) + [nil]
        hops = ends.map { from in
            ends.map { to in
                SplitCost(
                    slowest: placement.transferSeconds(from: from, to: to),
                    sum: placement.hopSeconds(from: from, to: to))
            }
        }
    }

    /// The best contiguous partition in order; nil when none fits the limits.
    ///
    /// Dynamic programming over (last worker, units so far): first each worker's best predecessor for each first unit,
    /// then its cost for each last one. At equal measure the other one decides, then the earlier split.
    ///
    /// - Parameter slowestMax: no worker or link may be slower. Under it the least sum is exact.
    func partition(
        by measure: Measure, slowestMax: Double = .infinity
    ) -> (cost: SplitCost, segments: [Placement.Segment])? {
        let bound = slowestMax * (1 + 1e-12)
        /// By worker, then by the units dealt out.
        var reached = [[PartialSplit?]](repeating: [], count: workerCount)
        var best: (cost: SplitCost, worker: Int)?
        for worker in 0..<workerCount {
            var row = [PartialSplit?](repeating: nil, count: unitCount + 1)
            for start in 0..<unitCount {
                guard let arrival = arrival(at: worker, start, reached, by: measure), arrival.cost.slowest <= bound
                else { continue }
                for end in start + 1...unitCount {
                    let load = WorkerLoad(
                        worker: workers[worker], need: sums.need(of: start..<end), hasMixtures: sums.model.hasMixtures)
                    let computing = computeSeconds[worker][end] - computeSeconds[worker][start]
                    let seconds = max(computing, load.diskSeconds)
                    if !load.fits || seconds > bound { break }
                    var split = arrival
                    split.cost.add(SplitCost(slowest: seconds, sum: seconds))
                    if let other = row[end], !split.cost.isBetter(than: other.cost, by: measure) { continue }
                    row[end] = split
                }
            }
            reached[worker] = row
            guard var whole = row[unitCount]?.cost else { continue }
            whole.add(hops[worker][workerCount])
            guard whole.sum.isFinite, whole.slowest <= bound else { continue }
            if best.map({ whole.isBetter(than: $0.cost, by: measure) }) ?? true { best = (whole, worker) }
        }
        return best.map { ($0.cost, segments(reached, endingAt: $0.worker)) }
    }

    /// The cheapest way for a step to come to a worker that has the units from `start` on.
    private func arrival(
        at worker: Int, _ start: Int, _ reached: [[PartialSplit?]], by measure: Measure
    ) -> PartialSplit? {
        var best: PartialSplit?
        for before in start == 0 ? workerCount..<workerCount + 1 : 0..<worker {
            var cost = SplitCost()
            if before < workerCount {
                guard let known = reached[before][start]?.cost else { continue }
                cost = known
            }
            cost.add(hops[before][worker])
            guard cost.sum.isFinite else { continue }
            if best.map({ cost.isBetter(than: $0.cost, by: measure) }) ?? true {
                best = PartialSplit(cost: cost, previous: before, start: start)
            }
        }
        return best
    }

    private func segments(_ reached: [[PartialSplit?]], endingAt last: Int) -> [Placement.Segment] {
        var segments: [Placement.Segment] = []
        var (worker, end) = (last, unitCount)
        while worker < workerCount, let split = reached[worker][end] {
            segments.append(Placement.Segment(worker: worker, units: split.start..<end))
            (worker, end) = (split.previous, split.start)
        }
        return segments.reversed()
    }
}

/// A way to deal out the units before some index, the last of them to some worker.
private struct PartialSplit {
    var cost: SplitCost
    /// The worker before that one; the count of workers stands for the coordinator.
    var previous: Int
    /// Its first unit.
    var start: Int
}

struct SplitCost {
    /// Seconds for which the worker or the link that holds the others up most is busy.
    var slowest = 0.0
    /// Seconds of all that one token passes.
    var sum = 0.0

    /// Of both, where so many tokens are on their way at once: more do not keep the slowest busy.
    func product(inFlight: Int) -> Double { max(slowest, sum / Double(inFlight)) * sum }

    mutating func add(_ other: SplitCost) {
        slowest = max(slowest, other.slowest)
        sum += other.sum
    }

    /// By the product, and by more than what rounding makes.
    func isClearlyBetter(than other: SplitCost, inFlight: Int) -> Bool {
        product(inFlight: inFlight) < other.product(inFlight: inFlight) * (1 - 1e-9)
    }

    func isBetter(than other: SplitCost, by measure: SplitCosts.Measure) -> Bool {
        switch measure {
        case .slowest: (slowest, sum) < (other.slowest, other.sum)
        case .sum: (sum, slowest) < (other.sum, other.slowest)
        }
    }
}

/// Running sums over units, so that the need of a run costs no loop.
private struct UnitSums {
    let model: PlacementModel
    let demand: PlacementDemand
    /// Of units before each index.
    var weightBytes = [0]
    var cacheBytes = [0]

    init(model: PlacementModel, demand: PlacementDemand) {
        self.model = model
        self.demand = demand
        for unit in 0..<model.unitCount {
            let need = MemoryNeed(units: CollectionOfOne(unit), of: model, demand: demand)
            weightBytes.append(saturatingSum(weightBytes[unit], need.weightBytes))
            cacheBytes.append(saturatingSum(cacheBytes[unit], need.cacheBytes))
        }
    }

    func need(of units: Range<Int>) -> MemoryNeed {
        var scratch = 0
        if units.lowerBound < min(units.upperBound, model.layers.count) {
            scratch = saturatingProduct(model.scratchBytesPerRow, demand.maxRows)
        }
        if units.contains(model.layers.count) {
            scratch = saturatingSum(scratch, saturatingProduct(model.headScratchBytesPerRow, demand.maxHeadRows))
        }
        return MemoryNeed(
            weightBytes: weightBytes[units.upperBound] - weightBytes[units.lowerBound],
            cacheBytes: cacheBytes[units.upperBound] - cacheBytes[units.lowerBound], scratchBytes: scratch)
    }
}
