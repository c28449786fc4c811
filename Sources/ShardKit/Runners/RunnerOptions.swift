import Devices
import Inference
import Sharding

/// How a runner holds a model's weights.
public enum RunnerMode: Sendable, Hashable {
    /// All shards in memory: fastest, where they fit.
    case simple
    /// What fits a budget stays in memory, the rest is read from disk for each token.
    ///
    /// The budget, in bytes, is for everything that the process holds, itself included; nil takes what is free, less
    /// 1 GiB, within the limits of control groups.
    case memoryEfficient(budget: Int? = nil)

    /// `simple` or `memory-efficient`.
    public var name: String {
        switch self {
        case .simple: "simple"
        case .memoryEfficient: "memory-efficient"
        }
    }
}

/// Choices that seldom need to be made.
public struct RunnerOptions: Sendable, Hashable {
    /// How keys and values of attention are kept.
    public enum CacheType: String, Sendable, CaseIterable {
        case f32
        case f16
        /// 8 bits, with a scale for each 32 dimensions of a head.
        case q8_0
    }

    /// Threads that compute, in each process; nil: one for each core, divided among worker processes.
    public var threads: Int?
    /// Tokens that a prompt and its answer may take together; nil: what the model was made for, at most 8192.
    public var contextLength: Int?
    public var cacheType: CacheType
    /// Generations that compute at once; each has memory for a whole context.
    public var sequencesMax: Int

    public static let contextLengthDefaultMax = 8192

    public init(
        threads: Int? = nil, contextLength: Int? = nil, cacheType: CacheType = .f16, sequencesMax: Int = 1
    ) {
        self.threads = threads
        self.contextLength = contextLength
        self.cacheType = cacheType
        self.sequencesMax = sequencesMax
    }

    /// - Throws: for counts that make no sense.
    func check() throws(ShardKitError) {
        for (name, value, limit) in [
            ("threads", threads ?? 1, 1024), ("contextLength", contextLength ?? 1, 1 << 24),
            ("sequencesMax", sequencesMax, 1024),
        ] {
            guard (1...limit).contains(value) else {
                throw ShardKitError(.request, "options: \(name): expected 1 to \(limit), got \(value)")
            }
        }
    }

    func contextLength(for model: OpenedModel) -> Int {
        contextLength ?? min(model.spec.contextLength, Self.contextLengthDefaultMax)
    }

    var cacheElementType: CacheElementType {
        switch cacheType {
        case .f32: .f32
        case .f16: .f16
        case .q8_0: .q8_0
        }
    }
}
