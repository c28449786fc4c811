extension Placement {
    /// Contiguous runs in the workers' order, as long as each worker's rate and memory allow.
    ///
    /// Starting from all workers, the one whose absence improves the objective most is left out, until none does:
    /// a device that is much slower than the others only holds them up.
    func balancedSegments() throws(PlacementError) -> [Segment] {
        var chosen = Array(workers.indices)
        guard var best = partition(among: chosen) else { throw doesNotFit() }
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

    /// What the objective weighs: a prompt's chunks follow each other, so the slowest worker counts; one token
    /// visits all of them in turn, so their sum does; mixed counts both.
    private func cost(of segments: [Segment]) -> Double {
        let times = segments.map { seconds($0.units, on: $0.worker) }
        let slowest = times.max() ?? 0
        let sum = times.reduce(0, +)
        return switch objective {
        case .prompt: slowest
        case .decode: sum
        case .mixed: slowest + sum
        }
    }

    /// The best contiguous partition in order; nil when none fits the limits.
    ///
    /// Dynamic programming over (workers so far, units so far). Cost is compared by its two parts, first the one
    /// that the objective weighs: at equal cost the split that is more even wins, then the earlier one.
    private func partition(among chosen: [Int]) -> [Segment]? {
        let unitCount = model.unitCount
        let sums = UnitSums(model: model, demand: demand)
        let rates = self.rates
        var reached = [PartialSplit?](repeating: nil, count: unitCount + 1)
        reached[0] = PartialSplit(slowest: 0, sum: 0, ends: [])
        for worker in chosen {
            var next = [PartialSplit?](repeating: nil, count: unitCount + 1)
            for start in 0...unitCount {
                guard let before = reached[start] else { continue }
                for end in start...unitCount {
                    let need = sums.need(of: start..<end)
                    if end > start, need.totalBytes > workers[worker].memoryBytes { break }
                    let time = Double(need.weightBytes) / rates[worker]
                    let split = PartialSplit(
                        slowest: max(before.slowest, time), sum: before.sum + time, ends: before.ends + [end])
                    if let known = next[end], !split.isBetter(than: known, objective) { continue }
                    next[end] = split
                }
            }
            reached = next
        }
        guard let ends = reached[unitCount]?.ends else { return nil }
        var start = 0
        let segments = zip(chosen, ends).map { worker, end in
            defer { start = end }
            return Segment(worker: worker, units: start..<end)
        }
        return Self.merged(segments)
    }

    private struct PartialSplit {
        var slowest: Double
        var sum: Double
        var ends: [Int]

        func isBetter(than other: PartialSplit, _ objective: PlacementObjective) -> Bool {
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

    private func doesNotFit() -> PlacementError {
        let need = MemoryNeed(units: 0..<model.unitCount, of: model, demand: demand)
        let limits = workers.map { "\($0.name) \(describeBytes($0.memoryBytes))" }.joined(separator: ", ")
        return PlacementError(
            .doesNotFit,
            "placement: \(model.name) does not fit: needs \(need.arithmetic), limits \(limits); \(advice())")
    }
}
