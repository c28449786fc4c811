extension Placement {
    /// Contiguous runs in the workers' order, as long as each worker's rate and memory allow.
    ///
    /// Starting from all workers, the one whose absence improves the objective most is left out, until none does:
    /// a device that is much slower than the others only holds them up.
    func balancedSegments() throws(PlacementError) -> [Segment] {
        var chosen = Array(workers.indices)
        guard var best = partition(among: chosen) else { throw noPartition() }
        var bestCost = cost(of: best)
        while chosen.count > 1 {
            let alternatives = chosen.compactMap { left -> (cost: Double, left: Int, segments: [Segment])? in
                guard let segments = partition(among: chosen.filter { $0 != left }) else { return nil }
                return (cost(of: segments), left, segments)
            }
            // The later of equals goes, so that the order of the configuration decides.
            guard let better = alternatives.min(by: { ($0.cost, $1.left) < ($1.cost, $0.left) }),
                better.cost < bestCost * (1 - 1e-9)
            else { break }
            chosen.removeAll { $0 == better.left }
            best = better.segments
            bestCost = better.cost
        }
        return best
    }

    /// What the objective weighs: a prompt's chunks follow each other, so the slowest worker or link counts; one token
    /// visits all of them in turn, so their sum does; mixed counts both, so that half of one outweighs less than twice
    /// the other.
    private func cost(of segments: [Segment]) -> Double {
        let ends: [End] = [nil] + segments.map { $0.worker } + [nil]
        var cost = SplitCost()
        for segment in segments { cost.add(compute: seconds(segment.units, on: segment.worker)) }
        for (from, to) in zip(ends, ends.dropFirst()) { add(hopFrom: from, to: to, &cost) }
        return switch objective {
        case .prompt: cost.slowest
        case .decode: cost.sum
        case .mixed: cost.slowest * cost.sum
        }
    }

    private func add(hopFrom from: End, to: End, _ cost: inout SplitCost) {
        cost.add(hop: hopSeconds(from: from, to: to), transfer: transferSeconds(from: from, to: to))
    }

    /// The best contiguous partition in order; nil when none fits the limits.
    ///
    /// Dynamic programming over (last worker, units so far). Cost is compared by its two parts, first the one that the
    /// objective weighs: at equal cost the split that is more even wins, then the earlier one.
    private func partition(among chosen: [Int]) -> [Segment]? {
        let unitCount = model.unitCount
        let sums = UnitSums(model: model, demand: demand)
        let rates = self.rates
        /// By the place of the last worker in `chosen`, then by the units dealt out.
        var reached = [[PartialSplit?]](
            repeating: [PartialSplit?](repeating: nil, count: unitCount + 1), count: chosen.count)
        var best: (cost: SplitCost, place: Int)?
        for (place, worker) in chosen.enumerated() {
            for before in -1..<place {
                let previous = before < 0 ? nil : chosen[before]
                var arrival = SplitCost()
                add(hopFrom: previous, to: worker, &arrival)
                guard arrival.sum.isFinite else { continue }
                for start in before < 0 ? 0..<1 : 1..<unitCount {
                    let known = before < 0 ? SplitCost() : reached[before][start]?.cost
                    guard let cost = known?.joined(arrival) else { continue }
                    for end in start + 1...unitCount {
                        let need = sums.need(of: start..<end)
                        if need.totalBytes > workers[worker].memoryBytes { break }
                        var split = PartialSplit(cost: cost, previous: before, start: start)
                        split.cost.add(compute: Double(need.weightBytes) / rates[worker])
                        if let other = reached[place][end], !split.cost.isBetter(than: other.cost, objective) {
                            continue
                        }
                        reached[place][end] = split
                    }
                }
            }
            guard var whole = reached[place][unitCount]?.cost else { continue }
            add(hopFrom: worker, to: nil, &whole)
            guard whole.sum.isFinite else { continue }
            if best.map({ whole.isBetter(than: $0.cost, objective) }) ?? true { best = (whole, place) }
        }
        guard let best else { return nil }
        var segments: [Segment] = []
        var (place, end) = (best.place, unitCount)
        while place >= 0, let split = reached[place][end] {
            segments.append(Segment(worker: chosen[place], units: split.start..<end))
            (place, end) = (split.previous, split.start)
        }
        return segments.reversed()
    }

    /// A way to deal out the units before some index, the last of them to some worker.
    private struct PartialSplit {
        var cost: SplitCost
        /// Place of the worker before that one; -1 for the coordinator.
        var previous: Int
        /// Its first unit.
        var start: Int
    }

    private struct SplitCost {
        /// The worker or the link that holds the others up most.
        var slowest = 0.0
        /// Of all that one token passes.
        var sum = 0.0

        mutating func add(compute seconds: Double) {
            slowest = max(slowest, seconds)
            sum += seconds
        }

        mutating func add(hop seconds: Double, transfer: Double) {
            slowest = max(slowest, transfer)
            sum += seconds
        }

        func joined(_ other: SplitCost) -> SplitCost {
            SplitCost(slowest: max(slowest, other.slowest), sum: sum + other.sum)
        }

        func isBetter(than other: SplitCost, _ objective: PlacementObjective) -> Bool {
            switch objective {
            case .prompt, .mixed: (slowest, sum) < (other.slowest, other.sum)
            case .decode: (sum, slowest) < (other.sum, other.slowest)
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

    /// No partition: for want of memory, or of ways between those who have it.
    private func noPartition() -> PlacementError {
        var linked = self
        linked.links = LinkTable()
        if linked.partition(among: Array(workers.indices)) != nil {
            let obstacles = links.findings.filter { if case .unreachable = $0.value { true } else { false } }
            if let edge = obstacles.keys.min(by: { ($0.from, $0.to) < ($1.from, $1.to) }) {
                return unreachable(edge.from, edge.to)
            }
        }
        let need = MemoryNeed(units: 0..<model.unitCount, of: model, demand: demand)
        let limits = workers.map { "\($0.name) \(describeBytes($0.memoryBytes))" }.joined(separator: ", ")
        return PlacementError(
            .doesNotFit,
            "placement: \(model.name) does not fit: needs \(need.arithmetic), limits \(limits); \(advice())")
    }
}
