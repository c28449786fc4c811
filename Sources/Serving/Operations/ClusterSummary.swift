import Sharding

/// What one reading of `GET /v1/cluster` says to whoever runs the cluster: rates of the last seconds, times, and which stage
/// the others wait for.
package struct ClusterSummary: Sendable, Codable, Hashable {
    /// Times that half, and 95 %, of all stayed within, in seconds.
    package struct Times: Sendable, Codable, Hashable {
        package var p50: Double
        package var p95: Double

        init?(_ histogram: TimeHistogram) {
            guard let p50 = histogram.quantile(0.5), let p95 = histogram.quantile(0.95) else { return nil }
            (self.p50, self.p95) = (p50, p95)
        }
    }

    package struct Stage: Sendable, Codable, Hashable {
        package var index: Int
        package var worker: String
        package var units: String
        /// Part of the last seconds in which it computed, 0 to 1.
        package var busy: Double
        /// Of a step, in seconds; absent where there was none.
        package var stepSeconds: Double?
        package var rowsPerStep: Double?
    }

    package var model: String
    package var isReady: Bool
    package var reason: String?
    package var uptimeSeconds: Double
    package var epoch: UInt64?
    package var tokensPerSecond: Double
    package var running: Int
    package var queued: Int
    package var failed: UInt64
    package var rejected: UInt64
    package var faults: UInt64
    package var lastFault: String?
    /// From a request's arrival; absent where there was none.
    package var queue: Times?
    package var firstToken: Times?
    package var betweenTokens: Times?
    /// Part of steps' time in which some stage computed them.
    package var computed: Double?
    /// Part of the cache's blocks that is in use, kept ones not counted.
    package var cacheUsed: Double?
    package var stages: [Stage]
    package var bottleneck: String
    package var workers: [EngineSnapshot.Worker]

    /// Seconds of activity that rates are taken from; the bin that is being filled is left out.
    private static let recentSeconds = 5.0

    /// - Parameter earlier: a reading that times are counted from; nil: from the engine's start.
    package init(_ body: ClusterBody, engine: EngineSnapshot, since earlier: EngineSnapshot? = nil) {
        let before = earlier?.run == engine.run ? earlier : nil
        model = body.model.id
        isReady = engine.isReady
        reason = engine.reason
        uptimeSeconds = engine.uptimeSeconds
        epoch = engine.epochs.current
        running = engine.requests.running
        queued = engine.requests.queued
        failed = engine.requests.failed
        rejected = engine.requests.rejected.values.reduce(0, &+)
        faults = engine.epochs.faults
        lastFault = engine.epochs.lastFault
        func times(_ part: KeyPath<EngineSnapshot.Times, TimeHistogram>) -> Times? {
            let now = engine.times[keyPath: part]
            return Times(before.map { now.since($0.times[keyPath: part]) } ?? now)
        }
        queue = times(\.queue)
        firstToken = times(\.firstToken)
        betweenTokens = times(\.betweenTokens)
        let away = engine.steps.inFlightSeconds - (before?.steps.inFlightSeconds ?? 0)
        let compute = engine.steps.computeSeconds - (before?.steps.computeSeconds ?? 0)
        computed = away > 0 ? min(1, max(0, compute / away)) : nil
        cacheUsed = engine.cache.flatMap { cache in
            cache.blocks > 0
                ? min(1, max(0, Double(cache.blocks - cache.freeBlocks - cache.retainedBlocks) / Double(cache.blocks)))
                : nil
        }
        let binSeconds = engine.recent.binSeconds
        let binCount = binSeconds > 0 && binSeconds.isFinite ? Int(min(1000, Self.recentSeconds / binSeconds)) : 0
        let tokens = engine.recent.tokens.dropLast().suffix(binCount)
        tokensPerSecond =
            tokens.isEmpty ? 0 : tokens.reduce(0) { $0 + Double($1) } / (Double(tokens.count) * binSeconds)
        stages = engine.stages.enumerated().map { index, stage in
            let bins =
                engine.recent.busy.indices.contains(index)
                ? engine.recent.busy[index].dropLast().suffix(binCount) : []
            let old = before?.stages.first { $0.index == stage.index && $0.worker == stage.worker }
            let steps = old.map { stage.compute.since($0.compute) } ?? stage.compute
            let rows = Double(stage.rows) - Double(old?.rows ?? 0)
            return Stage(
                index: stage.index, worker: stage.worker, units: stage.units,
                busy: bins.isEmpty ? 0 : min(1, max(0, bins.reduce(0, +) / Double(bins.count))),
                stepSeconds: steps.meanSeconds,
                rowsPerStep: steps.count > 0 && rows >= 0 ? rows / Double(steps.count) : nil)
        }
        workers = engine.workers
        bottleneck = Self.bottleneck(stages, reason: engine.reason)
    }

    /// Which stage the others wait for, in words.
    static func bottleneck(_ stages: [Stage], reason: String?) -> String {
        guard reason == nil, let most = stages.max(by: { $0.busy < $1.busy }) else {
            return "nothing runs: \(reason ?? "no plan yet")"
        }
        guard most.busy >= 0.01 else { return "nothing to compute at the moment" }
        let said = "stage \(most.index) on \(most.worker) computes \(percent(most.busy)) of the time"
        if most.busy < 0.6 { return "\(said), the busiest: stages wait for requests, or steps for the wire" }
        let idle = stages.filter { $0.index != most.index && $0.busy < 0.9 * most.busy && $0.worker != most.worker }
        guard !idle.isEmpty else {
            return stages.count > 1 ? "\(said), the others about as much: the pipeline is full" : said
        }
        var names: [String] = []
        for stage in idle where !names.contains(stage.worker) { names.append(stage.worker) }
        return "\(said); \(names.joined(separator: ", ")) \(names.count > 1 ? "wait" : "waits") for it"
    }

    private static func percent(_ part: Double) -> String { "\(Int((100 * part).rounded())) %" }
}
