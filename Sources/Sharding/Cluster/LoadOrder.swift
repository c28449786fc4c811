import ZeroMQ

/// The order to load one worker's part of a plan. Loading says nothing about running: `activate` does.
package struct LoadOrder: Sendable, Hashable {
    package var epoch: Epoch
    package var model: ModelReference
    /// For workers without the files; nil where each must have them.
    package var weights: WeightOrder?
    package var limits: LoadLimits
    /// Threads that may compute, at most those of the hello; nil: all of them.
    package var threadCount: Int?
    /// Stages in the whole plan.
    package var stageCount: Int
    /// This worker's, by ascending index; at least one.
    package var stages: [StageOrder]

    package init(
        epoch: Epoch, model: ModelReference, weights: WeightOrder? = nil, limits: LoadLimits,
        threadCount: Int? = nil, stageCount: Int, stages: [StageOrder]
    ) {
        self.epoch = epoch
        self.model = model
        self.weights = weights
        self.limits = limits
        self.threadCount = threadCount
        self.stageCount = stageCount
        self.stages = stages
    }
}

extension LoadOrder {
    /// Whether both are about the same layers of the same files on the same threads, so that what one loaded serves the
    /// other. Where weights are told by their hashes, those count.
    package func hasSameWeights(as other: LoadOrder) -> Bool {
        // What is read from disk has room for one order's limits.
        guard limits.residency == other.limits.residency, limits.residency == .simple || limits == other.limits else {
            return false
        }
        return model == other.model && weights?.description == other.weights?.description
            && threadCount == other.threadCount && stages.count == other.stages.count
            && zip(stages, other.stages).allSatisfy {
                $0.layers == $1.layers && $0.includesHead == $1.includesHead
            }
    }
}

/// Which files a model is, by bare names: a worker looks for them in its own folders, never at a path from the wire.
package struct ModelReference: Sendable, Hashable {
    package enum Format: String, Sendable, Hashable, CaseIterable {
        /// One GGUF file, or a split one's parts.
        case gguf
        /// A Hugging Face directory.
        case huggingFace
        /// A folder that `shard split` made; a worker needs only the files with its layers.
        case shards
    }

    package var format: Format
    /// Bare name of the folder that holds the files; empty for plain GGUF files. A worker looks for each file in
    /// every folder D that it was given, as D/file and as D/folder/file.
    package var folder: String
    package var files: [ModelReferenceFile]

    package init(format: Format, folder: String = "", files: [ModelReferenceFile]) {
        self.format = format
        self.folder = folder
        self.files = files
    }
}

package struct ModelReferenceFile: Sendable, Hashable {
    /// No separators, no `..`.
    package var name: String
    package var bytes: UInt64
    /// SHA-256, 32 bytes; empty when nothing is known to compare with.
    package var sha256: [UInt8]
    /// Units in the file, for a shard; empty when it may hold any.
    package var units: [ModelUnit]
    /// A file that describes the weights and holds none: `config.json`.
    package var isCompanion: Bool

    package init(
        name: String, bytes: UInt64, sha256: [UInt8] = [], units: [ModelUnit] = [], isCompanion: Bool = false
    ) {
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
        self.units = units
        self.isCompanion = isCompanion
    }
}

/// What a worker must have room for; all of it is asked for before anything loads.
package struct LoadLimits: Sendable, Hashable {
    package var cacheType: CacheElementType
    /// Positions of the longest sequence.
    package var contextLength: Int
    package var maxSequences: Int
    /// Rows of the largest step.
    package var maxRows: Int
    /// Positions that the cache holds over all sequences, each rounded up to whole blocks; at every layer.
    package var cachePositions: Int
    /// Bytes that this worker's cache may take over its layers.
    package var cacheBytes: UInt64
    /// Bytes that this worker may take altogether: weights, cache and scratch; with `residency` memory-efficient all that
    /// its process holds.
    package var memoryBytes: UInt64
    package var residency: ResidencyMode

    package init(
        cacheType: CacheElementType = .f16, contextLength: Int, maxSequences: Int, maxRows: Int,
        cachePositions: Int, cacheBytes: UInt64, memoryBytes: UInt64, residency: ResidencyMode = .simple
    ) {
        self.cacheType = cacheType
        self.contextLength = contextLength
        self.maxSequences = maxSequences
        self.maxRows = maxRows
        self.cachePositions = cachePositions
        self.cacheBytes = cacheBytes
        self.memoryBytes = memoryBytes
        self.residency = residency
    }
}

/// One visit of a step to a worker: a run of consecutive layers, and the head where it is the last.
package struct StageOrder: Sendable, Hashable {
    /// Position in the plan, from 0.
    package var index: Int
    /// Place in the group of workers that compute this stage together; today always 0 of 1.
    package var rank: Int
    package var groupCount: Int
    /// Empty for a stage that is the head alone.
    package var layers: Range<Int>
    package var includesHead: Bool
    /// Where results go: the next stage's data endpoint, or the coordinator's for results. A wildcard stands for the
    /// machine of the coordinator, as the worker reaches it.
    package var nextEndpoint: String
    /// CURVE key of the next endpoint; nil without encryption.
    package var nextKey: CurvePublicKey?
    /// Names of those that may send to this stage; empty stands for the coordinator.
    package var admittedSenders: [String]
    /// Keys of those that may send to this stage; empty without encryption.
    package var admittedKeys: [CurvePublicKey]

    package init(
        index: Int, rank: Int = 0, groupCount: Int = 1, layers: Range<Int>, includesHead: Bool,
        nextEndpoint: String, nextKey: CurvePublicKey? = nil, admittedSenders: [String] = [],
        admittedKeys: [CurvePublicKey] = []
    ) {
        self.index = index
        self.rank = rank
        self.groupCount = groupCount
        self.layers = layers
        self.includesHead = includesHead
        self.nextEndpoint = nextEndpoint
        self.nextKey = nextKey
        self.admittedSenders = admittedSenders
        self.admittedKeys = admittedKeys
    }
}
