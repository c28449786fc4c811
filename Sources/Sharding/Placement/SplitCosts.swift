/// What the ways and the units cost on each worker, and the partition that costs least.
struct SplitCosts {
    let workerCount: Int
    let unitCount: Int
    /// Of a step's way between two workers, by where it goes, then by where it comes from; at `workerCount` stands the
    /// coordinator.
    private let hops: [[SplitCost]]
    private let sums: UnitSums
    /// By worker: seconds of the units before each index.
    private let computeSeconds: [[Double]]
    private let workers: [PlacementWorker]
    /// Of workers that hold all of their weights; nil of those that read some.
    private let roomBytes: [Int?]

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
        roomBytes = workers.map { $0.disk == nil ? $0.memoryBytes : nil }
        let ends = placement.workers.indices.map(Optional.some) + [nil]
        hops = ends.map { to in
            ends.map { from in
                SplitCost(
                    slowest: placement.transferSeconds(from: from, to: to),
                    sum: placement.hopSeconds(from: from, to: to))
            }
        }
    }

    /// Limits that may be tried: fewer, the longer each takes. 2 billion comparisons take some ten seconds.
    var trialsMax: Int { max(8, 2_000_000_000 / max(1, workerCount * workerCount * unitCount)) }

    /// The best contiguous partition in order; nil when none fits the limits.
    ///
    /// - Parameter slowestMax: no worker or link may be slower. Under it the least sum is exact.
    func partition(by measure: Measure, slowestMax: Double = .infinity) -> Split? {
        guard measure == .slowest, slowestMax == .infinity else { return split(by: measure, slowestMax: slowestMax) }
        // Under a limit that it keeps, the fastest is the same, and soon found: limits are raised until there is one.
        let alone = computeSeconds.map { $0[unitCount] }
        var limit = 1.05 / alone.reduce(0) { $0 + 1 / $1 }
        let last = alone.max() ?? 0
        while limit > 0, limit < last {
            if let split = split(by: .slowest, slowestMax: limit) { return split }
            limit *= 1.2
        }
        return split(by: .slowest, slowestMax: .infinity)
    }

    /// Dynamic programming over (last worker, units so far): first each worker's best predecessor for each first unit,
    /// then its cost for each last one. At equal measure the other one decides, then the earlier split.
    private func split(by measure: Measure, slowestMax: Double) -> Split? {
        let bound = slowestMax * (1 + 1e-12)
        let needed = leastUnits(slowestMax: bound)
        guard needed[0] == 0 else { return nil }
        var reached = ReachedSplits(workerCount: workerCount, unitCount: unitCount)
        var best: (cost: SplitCost, worker: Int)?
        for worker in 0..<workerCount {
            for start in 0..<unitCount {
                guard let arrival = arrival(at: worker, start, reached, by: measure), arrival.cost.slowest <= bound
                else { continue }
                for end in max(start + 1, min(needed[worker + 1], unitCount))...unitCount {
                    guard let seconds = seconds(start..<end, on: worker), seconds <= bound else { break }
                    var split = arrival
                    split.cost.add(SplitCost(slowest: seconds, sum: seconds))
                    reached.take(split, at: worker, end, by: measure)
                }
            }
            guard var whole = reached[worker, unitCount]?.cost else { continue }
            whole.add(hops[workerCount][worker])
            guard whole.sum.isFinite, whole.slowest <= bound else { continue }
            if best.map({ whole.isBetter(than: $0.cost, by: measure) }) ?? true { best = (whole, worker) }
        }
        return best.map { Split(cost: $0.cost, segments: segments(reached, endingAt: $0.worker)) }
    }

    /// By worker: units that those before it must have been dealt, as it and those after it have no room or time for them.
    private func leastUnits(slowestMax: Double) -> [Int] {
        var needed = [Int](repeating: unitCount, count: workerCount + 1)
        for worker in (0..<workerCount).reversed() {
            let end = needed[worker + 1]
            var start = end
            while start > 0, let seconds = seconds(start - 1..<end, on: worker), seconds <= slowestMax { start -= 1 }
            needed[worker] = start
        }
        return needed
    }

    /// Time that one token takes for some units; nil where a worker has no room for them.
    private func seconds(_ units: Range<Int>, on worker: Int) -> Double? {
        let need = sums.need(of: units)
        let computing = computeSeconds[worker][units.upperBound] - computeSeconds[worker][units.lowerBound]
        if let room = roomBytes[worker] {
            return need.totalBytes <= room ? computing : nil
        }
        let load = WorkerLoad(worker: workers[worker], need: need, hasMixtures: sums.model.hasMixtures)
        return load.fits ? max(computing, load.diskSeconds) : nil
    }

    /// The cheapest way for a step to come to a worker that has the units from `start` on.
    private func arrival(
        at worker: Int, _ start: Int, _ reached: ReachedSplits, by measure: Measure
    ) -> PartialSplit? {
        let hops = hops[worker]
        if start == 0 {
            let cost = hops[workerCount]
            return cost.sum.isFinite ? PartialSplit(cost: cost, previous: workerCount, start: start) : nil
        }
        guard let candidates = reached.workers(at: start), candidates.lowerBound < worker else { return nil }
        var best: (cost: SplitCost, before: Int)?
        for before in candidates.clamped(to: 0..<worker) {
            var cost = reached.cost(at: before, start)
            cost.add(hops[before])
            guard cost.sum < .infinity else { continue }
            if let best, !cost.isBetter(than: best.cost, by: measure) { continue }
            best = (cost, before)
        }
        return best.map { PartialSplit(cost: $0.cost, previous: $0.before, start: start) }
    }

    private func segments(_ reached: ReachedSplits, endingAt last: Int) -> [Placement.Segment] {
        var segments: [Placement.Segment] = []
        var (worker, end) = (last, unitCount)
        while worker < workerCount, let split = reached[worker, end] {
            segments.append(Placement.Segment(worker: worker, units: split.start..<end))
            (worker, end) = (split.previous, split.start)
        }
        return segments.reversed()
    }
}

/// A partition and what it costs.
struct Split {
    var cost: SplitCost
    var segments: [Placement.Segment]
}

/// A way to deal out the units before some index, the last of them to some worker.
private struct PartialSplit {
    var cost: SplitCost
    /// The worker before that one; the count of workers stands for the coordinator.
    var previous: Int
    /// Its first unit.
    var start: Int
}

/// The best ways to deal out so many units, by the worker that has the last of them.
private struct ReachedSplits {
    private let workerCount: Int
    /// By units, then by worker; one that is not reached costs an endless sum.
    private var splits: [PartialSplit]
    /// By units: from the first worker that has such a way to the last.
    private var ranges: [Range<Int>?]

    init(workerCount: Int, unitCount: Int) {
        self.workerCount = workerCount
        let none = PartialSplit(cost: SplitCost(slowest: .infinity, sum: .infinity), previous: 0, start: 0)
        splits = Array(repeating: none, count: (unitCount + 1) * workerCount)
        ranges = Array(repeating: nil, count: unitCount + 1)
    }

    subscript(worker: Int, units: Int) -> PartialSplit? {
        let split = splits[units * workerCount + worker]
        return split.cost.sum < .infinity ? split : nil
    }

    func cost(at worker: Int, _ units: Int) -> SplitCost { splits[units * workerCount + worker].cost }

    /// Those that have the last of so many units in some way, and perhaps others between them.
    func workers(at units: Int) -> Range<Int>? { ranges[units] }

    /// Takes a way that is better than what is known.
    mutating func take(_ split: PartialSplit, at worker: Int, _ units: Int, by measure: SplitCosts.Measure) {
        let index = units * workerCount + worker
        let known = splits[index].cost
        if known.sum < .infinity, !split.cost.isBetter(than: known, by: measure) { return }
        splits[index] = split
        // Workers come in order.
        ranges[units] = (ranges[units]?.lowerBound ?? worker)..<worker + 1
    }
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
