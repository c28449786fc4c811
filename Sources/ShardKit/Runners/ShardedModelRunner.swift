import Devices
import Foundation
import Inference
import Models
import Sharding
import Synchronization

/// Runs a model in this process, shard after shard.
///
/// ```swift
/// let runner = try await ShardedModelRunner(shards: folder, mode: .simple, device: "cpu")
/// let logits = try await runner([1, 2, 3])
/// for try await piece in runner.generate(prompt: "Once upon a time") { print(piece, terminator: "") }
/// ```
///
/// Calls may overlap: generations share the model's steps, everything else takes its turn between them. The logits
/// do not depend on how the model is split.
public final class ShardedModelRunner: Sendable {
    private let core: RunnerCore
    private let engine: LocalEngine
    private let mode: RunnerMode
    private let device: String
    private let loaded: Mutex<[Bool]>

    /// Loads all shards.
    ///
    /// - Parameters:
    ///   - shards: a folder that ``splitModel(at:shards:into:isReplacing:progress:)`` made; also a GGUF file or a
    ///     Hugging Face directory, as one shard.
    ///   - device: `cpu`; others cannot compute yet.
    ///   - progress: called with the fraction that is loaded, on a thread of its own.
    public init(
        shards: URL, mode: RunnerMode = .simple, device: String = "cpu", options: RunnerOptions = RunnerOptions(),
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws(ShardKitError) {
        try options.check()
        guard mode == .simple else {
            throw ShardKitError(.request, "mode: \(mode.rawValue) is not there yet; use simple")
        }
        try requireUsable(device)
        let model = try await OwnThread.run { _ throws(ShardKitError) in
            try OpenedModel(path: shards.path, hashes: .remembered)
        }
        let contextLength = options.contextLength(for: model)
        let cpu = CPUDeviceOptions(threads: options.threads ?? CPUDeviceOptions.defaultThreads).withEnvironment()
        try model.checkMemory(
            cacheType: options.cacheElementType, contextLength: contextLength, sequencesMax: options.sequencesMax)
        let engine: LocalEngine
        do {
            engine = try await LocalEngine(
                LocalEngine.Options(name: model.file.name, sequencesMax: options.sequencesMax)
            ) { () throws(InferenceError) in
                try model.chain(
                    cpu: cpu, cacheType: options.cacheElementType, contextLength: contextLength,
                    sequencesMax: options.sequencesMax, progress: progress)
            }
        } catch {
            throw ShardKitError(error)
        }
        self.engine = engine
        self.mode = mode
        self.device = device
        loaded = Mutex(Array(repeating: true, count: model.shards.count))
        core = RunnerCore(
            model: model, engine: engine, tokenizer: try? model.tokenizer(), contextLength: contextLength
        ) { tokens throws(ShardKitError) in
            do {
                return try await engine.perform { chain throws(InferenceError) in
                    var values: [Float] = []
                    values.reserveCapacity(tokens.count * chain.model.vocabularySize)
                    try chain.logits(of: tokens) { values.append(contentsOf: $0) }
                    return values
                }
            } catch {
                throw ShardKitError(error)
            }
        }
    }

    /// The logits that follow each token.
    ///
    /// - Parameter tokens: ids from the model's vocabulary, at most as many as the context holds.
    public func callAsFunction(_ tokens: [Int32]) async throws(ShardKitError) -> Logits {
        try await core.logits(tokens)
    }

    /// The text that follows a prompt, as the model completes it; nothing happens before it is iterated.
    ///
    /// - Parameter prompt: raw text. What the model wants in front of every text is added; no chat template is.
    public func generate(prompt: String, options: GenerationOptions = GenerationOptions()) -> GeneratedText {
        GeneratedText(core: core, prompt: prompt, options: options)
    }

    public var info: RunnerInfo {
        let loaded = loaded.withLock { $0 }
        return core.info(mode: mode.rawValue, shards: core.model.shards) { index in (device, nil, loaded[index]) }
    }

    /// ``info`` as a few lines for people.
    public func summary() -> String { info.summary }

    /// Puts a shard's weights back into memory; one that is there stays.
    public func loadShard(_ index: Int) async throws(ShardKitError) {
        try await change(index, isLoaded: true) { chain throws(InferenceError) in try chain.load(index) }
    }

    /// Gives a shard's memory back. Until it is loaded again, logits and generations fail and say so.
    public func unloadShard(_ index: Int) async throws(ShardKitError) {
        try await change(index, isLoaded: false) { chain throws(InferenceError) in try chain.unload(index) }
    }

    private func change(
        _ index: Int, isLoaded: Bool, _ work: @escaping @Sendable (ShardChain) throws(InferenceError) -> Void
    ) async throws(ShardKitError) {
        do {
            try await engine.perform(work)
        } catch {
            throw ShardKitError(error)
        }
        loaded.withLock { $0[index] = isLoaded }
    }

    /// Computes the logits of one short sequence again and again.
    public func benchmark(runs: Int = 10) async throws(ShardKitError) -> BenchmarkResult {
        try await core.benchmark(runs: runs)
    }
}
