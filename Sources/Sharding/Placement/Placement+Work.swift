/// What passes the stages: it decides how long each unit takes.
enum Work: Hashable {
    /// A step of so many sequences that generate, one row each.
    case generation(sequences: Int)
    /// A chunk of a prompt; the head has no part in it, as only the last row's logits are wanted.
    case prompt(rows: Int)

    var rows: Int {
        switch self {
        case .generation(let sequences): sequences
        case .prompt(let rows): rows
        }
    }
}

extension Placement {
    /// Whether all workers said how fast they compute, and the types of all weights are known. Else bytes decide.
    var isMeasured: Bool { model.hasMatrixTypes && workers.allSatisfy { $0.speed != nil } }

    /// What times of all units and workers rest on.
    struct TimeBasis {
        fileprivate var isMeasured: Bool
        fileprivate var hasMatrixTypes: Bool
        fileprivate var rates: [Double]
    }

    /// To be asked for once: it looks at all units and all workers.
    var timeBasis: TimeBasis {
        TimeBasis(isMeasured: isMeasured, hasMatrixTypes: model.hasMatrixTypes, rates: rates)
    }

    /// Time that a worker computes on one unit.
    func computeSeconds(ofUnit unit: Int, on worker: Int, _ work: Work, _ basis: TimeBasis) -> Double {
        if case .prompt = work, unit == model.layers.count, basis.isMeasured { return 0 }
        if let speed = workers[worker].speed, basis.hasMatrixTypes {
            return speed.seconds(model.matrixBytes(ofUnit: unit), rows: work.rows)
        }
        let passes = max(1, Double(work.rows) / Self.promptRowsPerPass)
        return passes * Double(model.weightBytes(ofUnit: unit)) / basis.rates[worker]
    }

    /// Time that a worker is busy with a step on some units: computing, and reading weights from disk meanwhile.
    func seconds(_ units: some Sequence<Int>, on worker: Int, _ work: Work) -> Double {
        let basis = timeBasis
        let compute = units.reduce(0) { $0 + computeSeconds(ofUnit: $1, on: worker, work, basis) }
        return max(compute, load(units, on: worker).diskSeconds)
    }

    func load(_ units: some Sequence<Int>, on worker: Int) -> WorkerLoad {
        WorkerLoad(
            worker: workers[worker], need: MemoryNeed(units: units, of: model, demand: demand),
            hasMixtures: model.hasMixtures)
    }

    /// Time for which the memory of each machine is busy with a step: workers that share it cannot read faster together.
    func memorySeconds(_ segments: [Segment]) -> Double {
        var bytes: [String: Int] = [:]
        var rates: [String: Double] = [:]
        for segment in segments {
            let worker = workers[segment.worker]
            guard let rate = worker.speed?.machineBytesPerSecond, rate > 0 else { continue }
            let weights = segment.units.reduce(0) { saturatingSum($0, model.weightBytes(ofUnit: $1)) }
            bytes[worker.machine] = saturatingSum(bytes[worker.machine] ?? 0, weights)
            rates[worker.machine] = max(rates[worker.machine] ?? 0, rate)
        }
        return bytes.reduce(0) { longest, machine in max(longest, Double(machine.value) / (rates[machine.key] ?? 1)) }
    }
}
