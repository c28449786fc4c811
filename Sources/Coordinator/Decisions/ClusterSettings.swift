import Sharding
import ZeroMQ

/// What the decisions rest on; fixed for the life of a coordinator.
package struct ClusterSettings: Sendable {
    package struct ExpectedWorker: Sendable, Hashable {
        package var name: String
        package var start: WorkerStart
        /// By which it proves its name; nil without encryption.
        package var key: CurvePublicKey?
        /// Bytes that it may take; nil: what its machine has, shared among the workers there.
        package var memoryBytes: Int?
        package var mode: ResidencyMode
        package var selection: LayerSelection?

        package init(
            name: String, start: WorkerStart = .external, key: CurvePublicKey? = nil, memoryBytes: Int? = nil,
            mode: ResidencyMode = .simple, selection: LayerSelection? = nil
        ) {
            self.name = name
            self.start = start
            self.key = key
            self.memoryBytes = memoryBytes
            self.mode = mode
            self.selection = selection
        }

        /// Whether this coordinator starts the process, and starts it again.
        package var isLaunched: Bool { start != .external }
    }

    /// What runs requests: sizes of the model and of what it may hold at once.
    package struct Capacity: Sendable, Hashable {
        package var vocabularySize: Int
        package var hiddenSize: Int
        /// Positions a sequence may take.
        package var contextLength: Int
        package var maxSequences: Int
        /// Requests that wait for a place.
        package var queueMax: Int
        /// Rows of the largest step; prompts are cut into chunks of at most this.
        package var maxRows: Int
        /// Positions of a cache block; a sequence takes whole blocks.
        package var blockPositions: Int
        /// Positions over all sequences, whole blocks.
        package var cachePositions: Int
        /// How long a sequence that generates may pause for the prompts of others.
        package var gapMax = Self.gapMaxDefault
        /// Whether prompts that begin alike are computed once.
        package var sharesPrefixes = true

        package static let gapMaxDefault = Duration.milliseconds(100)

        package init(
            vocabularySize: Int, hiddenSize: Int, contextLength: Int, maxSequences: Int, queueMax: Int, maxRows: Int,
            blockPositions: Int, cachePositions: Int? = nil
        ) {
            self.vocabularySize = vocabularySize
            self.hiddenSize = hiddenSize
            self.contextLength = contextLength
            self.maxSequences = maxSequences
            self.queueMax = queueMax
            self.maxRows = maxRows
            self.blockPositions = blockPositions
            let blocks = (contextLength + blockPositions - 1) / blockPositions
            self.cachePositions = cachePositions ?? blocks * blockPositions * maxSequences
        }

        /// Rows of a step that the head is counted for.
        package var maxHeadRows: Int { min(maxRows, max(maxSequences, 1)) }

        /// Positions that a sequence of `count` tokens takes, in whole blocks.
        package func reserved(_ count: Int) -> Int {
            (count + blockPositions - 1) / blockPositions * blockPositions
        }
    }

    /// Weights that workers may fetch from here.
    package struct OfferedWeights: Sendable, Hashable {
        package var endpoint: String
        package var description: FileHash
        package var descriptionBytes: Int
        /// Of the tensors of each layer, and of the head.
        package var unitHashes: [Set<FileHash>]
    }

    package struct Deadlines: Sendable, Hashable {
        package var heartbeat = HeartbeatSettings()
        /// From the start of a launched worker's process to its hello.
        package var hello: Duration = .seconds(30)
        /// Without progress for this long, the oldest step in flight is given up; later where links are slow.
        package var step: Duration = .seconds(30)
        /// From the order to measure links to the last answer; what is not known by then is assumed.
        package var measuring: Duration = .seconds(10)
        /// Without progress for this long, a load is given up.
        package var loadStall: Duration = .seconds(60)
        /// From the order to activate to the first step; links are measured meanwhile.
        package var activation: Duration = .seconds(20)
        /// What requests in flight get to finish when the coordinator stops.
        package var drain: Duration = .seconds(10)
        /// What workers get to say that they leave.
        package var farewell: Duration = .seconds(2)

        package init() {}
    }

    /// Waits between attempts double from the first to the last.
    package struct Retries: Sendable, Hashable {
        package var first: Duration = .milliseconds(250)
        package var last: Duration = .seconds(10)
        /// Starts of one worker without the cluster becoming ready in between.
        package var startsMax = 5
        /// Loads that may fail in a row before the cause is taken for lasting.
        package var loadsMax = 3

        package init() {}

        package func wait(after failures: Int) -> Duration {
            guard failures > 0 else { return .zero }
            return min(last, first * (1 << min(failures - 1, 16)))
        }
    }

    package var run: RunID
    package var version: ProtocolVersion
    package var workers: [ExpectedWorker]
    /// The coordinator's own; nil without encryption.
    package var coordinatorKey: CurvePublicKey?
    package var model: ModelReference
    package var placementModel: PlacementModel
    package var policy: PlacementPolicy
    package var objective: PlacementObjective
    /// Left free on each machine.
    package var reserveBytes: Int
    package var cacheType: CacheElementType
    package var capacity: Capacity
    /// Where the last stage sends results.
    package var resultsEndpoint: String
    /// This one's, as ``WorkerHello/machine``.
    package var machine = ""
    /// nil where all workers have the files.
    package var weights: OfferedWeights?
    /// Plan once all workers said hello, and load nothing.
    package var plansOnly = false
    package var deadlines = Deadlines()
    package var retries = Retries()

    package init(
        run: RunID, version: ProtocolVersion = .current, workers: [ExpectedWorker], model: ModelReference,
        placementModel: PlacementModel, policy: PlacementPolicy = .balanced,
        objective: PlacementObjective = .mixed, reserveBytes: Int = 0, cacheType: CacheElementType = .f16,
        capacity: Capacity, resultsEndpoint: String
    ) {
        self.run = run
        self.version = version
        self.workers = workers
        self.model = model
        self.placementModel = placementModel
        self.policy = policy
        self.objective = objective
        self.reserveBytes = reserveBytes
        self.cacheType = cacheType
        self.capacity = capacity
        self.resultsEndpoint = resultsEndpoint
    }

    /// What a placement counts for.
    package var demand: PlacementDemand {
        PlacementDemand(
            contextLength: capacity.contextLength, maxSequences: capacity.maxSequences,
            cachePositions: capacity.cachePositions, maxRows: capacity.maxRows,
            maxHeadRows: capacity.maxHeadRows)
    }
}
