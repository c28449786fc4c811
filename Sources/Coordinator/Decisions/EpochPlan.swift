import Sharding

/// A plan with its epoch, and how far each worker has come with it.
struct EpochPlan: Sendable {
    enum Progress: Sendable, Hashable {
        case loading(doneBytes: UInt64, totalBytes: UInt64)
        case loaded
        case activated
    }

    let epoch: Epoch
    let plan: Plan
    /// What each worker was told, by name.
    let orders: [String: LoadOrder]
    var progress: [String: Progress]
    /// When a load last moved.
    var lastProgress: Duration
    /// Counters at activation, so that those of a worker's earlier life do not count.
    var stepsCompletedBefore: [String: UInt64] = [:]

    var workers: [String] { orders.keys.sorted() }
    var firstEndpoint: String

    func isComplete(_ reached: (Progress) -> Bool) -> Bool { progress.values.allSatisfy(reached) }

    /// Workers that have not come that far, by name.
    func behind(_ reached: (Progress) -> Bool) -> [String] {
        progress.filter { !reached($0.value) }.map(\.key).sorted()
    }
}

extension EpochPlan {
    /// Turns a placement into orders: stages know the endpoint after them and who may send to them.
    init(
        epoch: Epoch, plan: Plan, settings: ClusterSettings, endpoints: [String: String], now: Duration
    ) {
        let limits = settings.capacity
        var stages: [String: [StageOrder]] = [:]
        for (index, stage) in plan.stages.enumerated() {
            let isLast = index == plan.stages.count - 1
            let next = isLast ? settings.resultsEndpoint : endpoints[plan.stages[index + 1].worker] ?? ""
            stages[stage.worker, default: []].append(
                StageOrder(
                    index: index, layers: stage.layers, includesHead: stage.includesHead, nextEndpoint: next,
                    admittedSenders: index == 0 ? [] : [plan.stages[index - 1].worker]))
        }
        var orders: [String: LoadOrder] = [:]
        for share in plan.shares {
            orders[share.worker] = LoadOrder(
                epoch: epoch, model: settings.model,
                limits: LoadLimits(
                    cacheType: settings.cacheType, contextLength: limits.contextLength,
                    maxSequences: limits.maxSequences, maxRows: limits.maxRows,
                    cachePositions: limits.cachePositions, cacheBytes: UInt64(clamping: share.need.cacheBytes),
                    memoryBytes: UInt64(clamping: share.limitBytes)),
                stageCount: plan.stages.count, stages: stages[share.worker] ?? [])
        }
        self.init(
            epoch: epoch, plan: plan, orders: orders,
            progress: orders.mapValues { _ in .loading(doneBytes: 0, totalBytes: 0) }, lastProgress: now,
            firstEndpoint: plan.stages.first.flatMap { endpoints[$0.worker] } ?? "")
    }
}
