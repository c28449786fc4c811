import Sharding
import ZeroMQ

/// A plan with its epoch, and how far each worker has come with it.
struct EpochPlan: Sendable {
    enum Progress: Sendable, Hashable {
        case loading(doneBytes: UInt64, totalBytes: UInt64)
        case loaded
        case activated
    }

    let epoch: Epoch
    var plan: Plan
    /// What each worker was told, by name.
    let orders: [String: LoadOrder]
    var progress: [String: Progress]
    /// When a load last moved.
    var lastProgress: Duration
    /// Counters at activation, so that those of a worker's earlier life do not count.
    var stepsCompletedBefore: [String: UInt64] = [:]

    var workers: [String] { orders.keys.sorted() }
    var firstEndpoint: String
    /// Of the workers at both ends; nil without encryption.
    var firstKey: CurvePublicKey?
    var lastKey: CurvePublicKey?

    func isComplete(_ reached: (Progress) -> Bool) -> Bool { progress.values.allSatisfy(reached) }

    /// Workers that have not come that far, by name.
    func behind(_ reached: (Progress) -> Bool) -> [String] {
        progress.filter { !reached($0.value) }.map(\.key).sorted()
    }
}

extension EpochPlan {
    /// Where a worker listens, and the key that it proves.
    struct Place: Sendable {
        var endpoint: String
        var key: CurvePublicKey?
        /// Threads, where it gets fewer than it has.
        var threadCount: Int?
        /// Where others fetch weights from it, and what its cache has.
        var weightsEndpoint: String?
        var cached: Set<FileHash> = []
    }

    /// Turns a placement into orders: stages know the endpoint after them and who may send to them.
    init(
        epoch: Epoch, plan: Plan, settings: ClusterSettings, places: [String: Place], now: Duration
    ) {
        let limits = settings.capacity
        let coordinator = Place(endpoint: settings.resultsEndpoint, key: settings.coordinatorKey)
        /// Beyond either end stands the coordinator.
        func place(_ index: Int) -> Place? {
            plan.stages.indices.contains(index) ? places[plan.stages[index].worker] : coordinator
        }
        var stages: [String: [StageOrder]] = [:]
        for (index, stage) in plan.stages.enumerated() {
            let next = place(index + 1)
            stages[stage.worker, default: []].append(
                StageOrder(
                    index: index, layers: stage.layers, includesHead: stage.includesHead,
                    nextEndpoint: next?.endpoint ?? "", nextKey: next?.key,
                    admittedSenders: index == 0 ? [] : [plan.stages[index - 1].worker],
                    admittedKeys: [place(index - 1)?.key].compactMap(\.self)))
        }
        var orders: [String: LoadOrder] = [:]
        for share in plan.shares {
            orders[share.worker] = LoadOrder(
                epoch: epoch, model: settings.model,
                weights: Self.weights(for: share.worker, stages[share.worker] ?? [], settings, places),
                limits: LoadLimits(
                    cacheType: settings.cacheType, contextLength: limits.contextLength,
                    maxSequences: limits.maxSequences, maxRows: limits.maxRows,
                    cachePositions: limits.cachePositions, cacheBytes: UInt64(clamping: share.need.cacheBytes),
                    memoryBytes: UInt64(clamping: share.limitBytes),
                    residency: share.streamedBytes == nil ? .simple : .memoryEfficient),
                threadCount: places[share.worker]?.threadCount, stageCount: plan.stages.count,
                stages: stages[share.worker] ?? [])
        }
        self.init(
            epoch: epoch, plan: plan, orders: orders,
            progress: orders.mapValues { _ in .loading(doneBytes: 0, totalBytes: 0) }, lastProgress: now,
            firstEndpoint: place(0)?.endpoint ?? "", firstKey: place(0)?.key,
            lastKey: place(plan.stages.count - 1)?.key)
    }
}

extension EpochPlan {
    /// Where a worker of another machine gets its layers: from other workers that have some of them, then from the
    /// coordinator. One that is started beside the coordinator has the files.
    private static func weights(
        for worker: String, _ stages: [StageOrder], _ settings: ClusterSettings, _ places: [String: Place]
    ) -> WeightOrder? {
        guard let offered = settings.weights,
            settings.workers.first(where: { $0.name == worker })?.start != .local
        else { return nil }
        let head = offered.unitHashes.count - 1
        let needed = stages.reduce(into: Set<FileHash>()) { needed, stage in
            for unit in Array(stage.layers) + (stage.includesHead ? [head] : []) {
                needed.formUnion(offered.unitHashes[unit])
            }
        }
        let others = places.filter { $0.key != worker }.sorted { $0.key < $1.key }
        let holders = others.compactMap { name, place -> WeightOrder.Source? in
            // One that has the files gets no list of those who may fetch from it.
            guard let endpoint = place.weightsEndpoint, !place.cached.isDisjoint(with: needed),
                settings.workers.first(where: { $0.name == name })?.start != .local
            else { return nil }
            return WeightOrder.Source(name: name, endpoint: endpoint, key: place.key)
        }
        let coordinator = WeightOrder.Source(
            name: "", endpoint: offered.endpoint, key: settings.coordinatorKey)
        return WeightOrder(
            description: offered.description, descriptionBytes: offered.descriptionBytes,
            sources: holders.prefix(WeightOrder.sourcesMax - 1) + [coordinator],
            readers: others.compactMap(\.value.key))
    }
}
