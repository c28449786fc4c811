import Tensors

/// How long each unit takes on each worker, for one kind of work: many units are alike, and are looked at once.
struct UnitTimes {
    /// By unit: the place of its like.
    private var kinds: [Int] = []
    /// By worker, then by kind.
    private var seconds: [[Double]] = []

    private struct Kind: Hashable {
        var weightBytes: Int
        var matrixBytes: [ElementType: Int]
        var isHead: Bool
    }

    init(_ placement: Placement, _ work: Work) {
        let model = placement.model
        var places: [Kind: Int] = [:]
        /// A unit of each kind.
        var units: [Int] = []
        for unit in 0..<model.unitCount {
            let kind = Kind(
                weightBytes: model.weightBytes(ofUnit: unit), matrixBytes: model.matrixBytes(ofUnit: unit),
                isHead: unit == model.layers.count)
            let place = places[kind] ?? units.count
            if place == units.count {
                places[kind] = place
                units.append(unit)
            }
            kinds.append(place)
        }
        let basis = placement.timeBasis
        seconds = placement.workers.indices.map { worker in
            units.map { placement.computeSeconds(ofUnit: $0, on: worker, work, basis) }
        }
    }

    subscript(unit: Int, worker: Int) -> Double { seconds[worker][kinds[unit]] }

    /// Of all units on a worker.
    func sum(on worker: Int) -> Double { kinds.reduce(0) { $0 + seconds[worker][$1] } }
}
