import Foundation
import Sharding
import ZeroMQ

/// Everything that says what a cluster is: from a configuration file, or made by a program for one run.
package struct ClusterOptions: Sendable {
    /// As clients name the model.
    package var name: String
    /// nil: as many positions as the model was made for.
    package var contextLength: Int?
    package var cacheType: CacheElementType
    package var maxSequences: Int
    package var queueMax: Int
    /// Rows of a step; prompts are cut into chunks of at most this.
    package var maxRows: Int
    /// How long a sequence that generates may pause for the prompts of others.
    package var gapMax = ClusterSettings.Capacity.gapMaxDefault
    /// Whether prompts that begin alike are computed once.
    package var sharesPrefixes = true
    package var policy: PlacementPolicy
    package var objective: PlacementObjective
    package var reserveBytes: Int
    /// Where workers connect.
    package var control: Endpoint
    /// Where the last stage sends results.
    package var results: Endpoint
    /// Where workers fetch weights, where there are ``weights``.
    package var weightsBind: Endpoint
    /// What workers of other machines may fetch; nil: each has the model's files.
    package var weights: ClusterWeights?
    /// How workers on other machines reach this one, where the addresses that it listens on do not say it.
    package var advertise: Endpoint?
    /// nil: connections are in clear.
    package var security: ClusterSecurity?
    package var workers: [WorkerSettings]
    package var deadlines: ClusterSettings.Deadlines
    /// Plan once all workers said hello, and load nothing.
    package var plansOnly = false
    package var retries = ClusterSettings.Retries()
    /// Path of `shard-worker`; nil looks for it.
    package var workerProgram: String?
    /// Launched workers compare the hashes of all files anew.
    package var isVerifying = false
    /// What launched workers log.
    package var workerLogLevel = "notice"
    /// Whether workers that are started log JSON.
    package var workersLogJSON = false
    /// Where what steps and requests do is written; nil for nowhere.
    package var traceFile: String?

    /// A small cluster of its own for one run: workers that it starts on loopback.
    package init(
        name: String, workers: [WorkerSettings], contextLength: Int? = nil,
        cacheType: CacheElementType = .f16, maxSequences: Int = 4, maxRows: Int = 256,
        policy: PlacementPolicy = .balanced
    ) {
        self.name = name
        self.contextLength = contextLength
        self.cacheType = cacheType
        self.maxSequences = maxSequences
        queueMax = 64
        self.maxRows = maxRows
        self.policy = policy
        objective = .mixed
        reserveBytes = 0
        control = .loopback()
        results = .loopback()
        weightsBind = .loopback()
        self.workers = workers
        deadlines = ClusterSettings.Deadlines()
    }

    package init(_ configuration: ClusterConfiguration) {
        self.init(
            name: configuration.model.name, workers: configuration.workers, contextLength: configuration.model.context,
            cacheType: configuration.model.cacheType,
            maxSequences: configuration.serving.sequenceCountMax, policy: configuration.placement.policy)
        queueMax = configuration.serving.queueCountMax
        gapMax = configuration.serving.gapMax
        sharesPrefixes = configuration.serving.sharesPrefixes
        objective = configuration.placement.objective
        reserveBytes = configuration.placement.reserveBytes
        control = Endpoint(configuration.coordinator.bind)
        results = Endpoint(configuration.coordinator.results)
        weightsBind = Endpoint(configuration.coordinator.weights)
        advertise = configuration.coordinator.advertise.map { Endpoint($0) }
        deadlines.heartbeat = HeartbeatSettings(
            interval: configuration.failure.heartbeat, deadAfter: configuration.failure.deadAfter)
        deadlines.step = configuration.failure.stepDeadline
    }
}

extension Endpoint {
    init(_ address: NetworkAddress) { self.init(host: address.host, port: UInt16(clamping: address.port)) }
}

extension ClusterOptions {
    /// An endpoint that is bound here, as workers are told it: with the host by which they reach this machine, or a
    /// wildcard, for which each takes the one that it knows.
    func advertised(_ bound: Endpoint, isControl: Bool = false) -> Endpoint {
        if let advertise {
            // A port that is forwarded is the control socket's.
            let port = isControl && advertise.port != 0 ? advertise.port : bound.port
            return Endpoint(host: advertise.host, port: port)
        }
        return bound.isWildcard ? Endpoint(host: "*", port: bound.port) : bound
    }
}
