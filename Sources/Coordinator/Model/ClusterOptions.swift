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
    package var policy: PlacementPolicy
    package var objective: PlacementObjective
    package var reserveBytes: Int
    /// Where workers connect.
    package var control: Endpoint
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
        self.workers = workers
        deadlines = ClusterSettings.Deadlines()
    }

    package init(_ configuration: ClusterConfiguration) {
        self.init(
            name: configuration.model.name, workers: configuration.workers, contextLength: configuration.model.context,
            cacheType: configuration.model.cacheType,
            maxSequences: configuration.serving.sequenceCountMax, policy: configuration.placement.policy)
        queueMax = configuration.serving.queueCountMax
        objective = configuration.placement.objective
        reserveBytes = configuration.placement.reserveBytes
        control = Endpoint(
            host: configuration.coordinator.bind.host, port: UInt16(clamping: configuration.coordinator.bind.port))
        deadlines.heartbeat = HeartbeatSettings(
            interval: configuration.failure.heartbeat, deadAfter: configuration.failure.deadAfter)
        deadlines.step = configuration.failure.stepDeadline
    }
}
