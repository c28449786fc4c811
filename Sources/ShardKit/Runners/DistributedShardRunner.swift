import Foundation
import Logging
import Sharding

/// Runs a model over worker processes on this machine; each holds the shards of one device.
///
/// ```swift
/// let spread = try await DistributedShardRunner(shards: folder, devices: ["cpu", "cpu"])
/// let logits = try await spread([1, 2, 3])
/// await spread.stop()
/// ```
///
/// Hidden states go from worker to worker over ZeroMQ on loopback. The logits are those of one process, bit for bit,
/// on devices of one kind. Workers end with ``stop()``, and at the latest with this process.
public final class DistributedShardRunner: Sendable {
    private let core: RunnerCore
    private let session: WorkerSession
    private let shards: [Range<Int>]
    private let devices: [String]

    /// Starts one worker for each device and loads the shards that are dealt to it (``assignShards(count:to:)``).
    ///
    /// - Parameters:
    ///   - shards: a folder that ``splitModel(at:shards:into:isReplacing:progress:)`` made; also a GGUF file or a
    ///     Hugging Face directory, whose layers are then dealt evenly.
    ///   - devices: one worker each; a device may be named several times. nil: all that can compute in this build.
    ///     Devices beyond the number of shards get no worker.
    ///   - worker: the program `shard-worker`; nil looks beside this program, then in PATH.
    public init(
        shards: URL, devices: [String]? = nil, options: RunnerOptions = RunnerOptions(), worker: URL? = nil
    ) async throws(ShardKitError) {
        try options.check()
        let named = devices ?? computingDevices()
        guard (1...Self.workersMax).contains(named.count) else {
            throw ShardKitError(.request, "devices: expected 1 to \(Self.workersMax), got \(named.count)")
        }
        for device in named { try requireUsable(device) }
        let model = try await OwnThread.run { _ throws(ShardKitError) in
            try OpenedModel(path: shards.path, hashes: .byLoader)
        }
        let layers =
            model.shards.count > 1
            ? model.shards : ShardLayout(layerCount: model.spec.layers.count, shardCount: named.count).ranges
        let layout = WorkerLayout.inTurn(shards: layers, workerCount: named.count)
        var logger = Logger(label: "shardkit")
        logger.logLevel = .warning
        if let warning = layout.warning { logger.warning("\(warning)") }
        let contextLength = options.contextLength(for: model)
        var settings = WorkerSession.Options(
            layout: layout, devices: named, threads: options.threads, cacheType: options.cacheElementType,
            contextLength: contextLength, sequencesMax: options.sequencesMax)
        settings.workerProgram = worker?.path
        let session = try await WorkerSession.start(model, settings, logger: logger)
        self.session = session
        self.shards = layers
        self.devices = Array(named.prefix(layout.selections.count))
        let rowsMax = settings.rowsMax
        core = RunnerCore(
            model: model, engine: session.engine, tokenizer: try? model.tokenizer(), contextLength: contextLength
        ) { tokens throws(ShardKitError) in
            var values: [Float] = []
            do {
                try await session.logits(of: tokens, chunk: rowsMax) { values.append(contentsOf: $0) }
            } catch {
                throw ShardKitError(error)
            }
            return values
        }
    }

    private static let workersMax = 256

    /// The logits that follow each token.
    ///
    /// - Parameter tokens: ids from the model's vocabulary, at most as many as the context holds.
    public func callAsFunction(_ tokens: [Int32]) async throws(ShardKitError) -> Logits {
        try await core.logits(tokens)
    }

    /// What the model makes of some tokens as a whole: the mean over all of them of the hidden state after the output
    /// norm, `[hiddenSize]`. Its length is not 1.
    ///
    /// - Parameter tokens: at least one id from the model's vocabulary, at most as many as the context holds.
    public func embedding(_ tokens: [Int32]) async throws(ShardKitError) -> [Float] {
        try await core.embedding(tokens)
    }

    /// The text that follows a prompt, as the model completes it; nothing happens before it is iterated.
    ///
    /// - Parameter prompt: raw text. What the model wants in front of every text is added; no chat template is.
    public func generate(prompt: String, options: GenerationOptions = GenerationOptions()) -> GeneratedText {
        GeneratedText(core: core, prompt: prompt, options: options)
    }

    public var info: RunnerInfo {
        core.info(mode: "distributed", shards: shards) { index in
            (devices[index % devices.count], session.processIDs[index % devices.count], true)
        }
    }

    /// ``info`` as a few lines for people.
    public func summary() -> String { info.summary }

    /// Computes the logits of one short sequence again and again.
    public func benchmark(runs: Int = 10) async throws(ShardKitError) -> BenchmarkResult {
        try await core.benchmark(runs: runs)
    }

    /// Lets running generations end, and then the workers; returns when no process is left.
    public func stop() async { await session.stop() }
}
