import ZeroMQ

/// What `cluster.yaml` says: the model, where the programs listen, and the workers that compute.
///
/// Made by ``load(path:)``, which has checked everything that the file alone can tell; what needs the model (manual
/// layers against its layer count) is checked by ``problems(layerCount:)``.
package struct ClusterConfiguration: Sendable, Hashable {
    package var model: ModelSettings
    package var coordinator: CoordinatorSettings
    package var serving: ServingSettings
    package var security: SecuritySettings
    package var placement: PlacementSettings
    /// At least one; names differ.
    package var workers: [WorkerSettings]
    package var failure: FailureSettings

    /// A GGUF file, a shard folder, or a Hugging Face directory, and how its state is kept.
    package struct ModelSettings: Sendable, Hashable {
        /// As clients name it; the source's name without its extension where the file says nothing.
        package var name: String
        /// Absolute, or relative to the working folder; a relative path in the file counts from the file's folder.
        package var source: String
        /// Where `source` stands in the file, for problems that only opening the model shows.
        package var sourcePlace: ConfigurationPlace
        /// Positions a sequence may take; nil: as many as the model was made for.
        package var context: Int?
        /// Where `context` stands, or the section where it is left out.
        package var contextPlace: ConfigurationPlace
        package var cacheType: CacheElementType
    }

    package struct CoordinatorSettings: Sendable, Hashable {
        /// Where workers connect.
        package var bind: NetworkAddress
        /// How workers reach `bind`, where that differs.
        package var advertise: NetworkAddress?
        /// Where the last stage sends results; `bind`'s host and any free port where the file says nothing.
        package var results: NetworkAddress
        /// Where workers fetch weights; likewise.
        package var weights: NetworkAddress
        /// Where the HTTP API listens.
        package var http: NetworkAddress
        /// File with the keys of the API's clients; nil: it listens on loopback and asks for none.
        package var apiKeys: String?
        /// nil: HTTP in clear.
        package var tls: TLSSettings?
    }

    /// PEM files: a certificate with those that vouch for it behind it, and its secret key.
    package struct TLSSettings: Sendable, Hashable {
        package var certificate: String
        package var key: String
    }

    package struct ServingSettings: Sendable, Hashable {
        /// Sequences that compute at the same time.
        package var sequenceCountMax: Int
        /// Requests that wait at most.
        package var queueCountMax: Int
        /// How long a sequence that generates may pause for the prompts of others.
        package var gapMax: Duration
        /// Whether prompts that begin alike are computed once.
        package var sharesPrefixes: Bool
    }

    /// Keys, without which nothing reaches beyond loopback; where there are any, all connections are encrypted.
    package struct SecuritySettings: Sendable, Hashable {
        /// Holds `coordinator.key`; nil: connections are in clear.
        package var keyFolder: String?
        package var keyFolderPlace: ConfigurationPlace
        /// Who may join under which name. Workers that `launch` starts need no entry: it makes keys for them.
        package var workerKeys: [String: CurvePublicKey]

        package var keyPath: String? { keyFolder.map { "\($0)/\(SecuritySettings.keyFileName)" } }

        package static let keyFileName = "coordinator.key"
    }

    package struct PlacementSettings: Sendable, Hashable {
        package var policy: PlacementPolicy
        package var objective: PlacementObjective
        /// Memory that each worker leaves free.
        package var reserveBytes: Int
    }

    package struct FailureSettings: Sendable, Hashable {
        package var heartbeat: Duration
        /// Silence after which a worker counts as dead.
        package var deadAfter: Duration
        package var stepDeadline: Duration
        /// How long `plan` waits for workers.
        package var wait: Duration
    }
}

package enum PlacementPolicy: String, Sendable, Hashable, CaseIterable {
    /// Shard i on device i mod n.
    case roundRobin = "round_robin"
    /// Contiguous, by measured speed under memory limits.
    case balanced
    /// As each worker's `layers` says.
    case manual
}

package enum PlacementObjective: String, Sendable, Hashable, CaseIterable {
    case prompt
    case decode
    case mixed
}

/// One worker process.
package struct WorkerSettings: Sendable, Hashable {
    package var name: String
    package var start: WorkerStart
    /// The machine that it runs on, where it is another one.
    package var host: String?
    /// What `ssh` is told to reach that machine: `me@10.0.0.2`, or a name of its configuration.
    package var ssh: String?
    /// Path of `shard-worker` there; nil looks in the PATH of an ssh session.
    package var program: String?
    package var device: String
    /// Threads that compute; nil: a fair part of the cores that it may use.
    package var threads: Int?
    /// CPUs that it is bound to, ascending; nil: any.
    package var cpus: [Int]?
    /// Bytes it may use; nil: what the device has.
    package var memoryBytes: Int?
    package var mode: ResidencyMode
    /// Folder for copies of weights in the layout that is computed with; nil: none are kept.
    package var packedCache: String?
    /// Where its data socket listens; nil: loopback, any free port.
    package var bind: NetworkAddress?
    package var advertise: NetworkAddress?
    /// Folders in which it looks for model files; empty: the model's own.
    package var modelFolders: [String]
    /// For `manual` placement.
    package var layers: LayerSelection?
    /// Where `layers` stands in the file, for problems that only the model shows.
    package var layersPlace: ConfigurationPlace?
    /// Folder for weights that come over the wire; nil: the user's own.
    package var cacheFolder: String?
}

package enum WorkerStart: String, Sendable, Hashable, CaseIterable {
    /// `launch` starts it on this machine.
    case local
    /// `launch` starts it on another one, through `ssh`.
    case ssh
    /// Somebody else starts it; `launch` waits for it.
    case external
}

/// How a worker keeps its weights.
package enum ResidencyMode: String, Sendable, Hashable, CaseIterable {
    case simple
    case memoryEfficient = "memory-efficient"
}

/// Layers that a worker is given by hand: `0-3`, `7`, `0-3,8-11`, `28-31,head`.
package struct LayerSelection: Sendable, Hashable, CustomStringConvertible {
    /// Half-open, ascending, not touching.
    package var ranges: [Range<Int>]
    /// Whether the output head is named; where no worker names it, it goes with the last layer.
    package var includesHead: Bool

    package init(ranges: [Range<Int>], includesHead: Bool = false) {
        self.ranges = ranges
        self.includesHead = includesHead
    }

    package var description: String {
        let parts = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound - 1)" }
        return (parts + (includesHead ? ["head"] : [])).joined(separator: ",")
    }
}
