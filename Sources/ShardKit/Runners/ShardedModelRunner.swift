import Devices
import Foundation
import Inference
import Models
import Sharding
import Synchronization
import Tokenizers

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
    /// Of a model that is read from disk.
    private let setup: StreamingSetup?
    private let state: Mutex<State>

    private struct State: Sendable {
        /// By shard: whether it was loaded, and not unloaded since.
        var isLoaded: [Bool]
        /// By shard: what was asked for, of a model that is read from disk.
        var wishes: [Int: ResidencyWish] = [:]
        var plan: ResidencyPlan?
        var report: StreamingReport?
    }

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
        try requireUsable(device)
        let cpu = CPUDeviceOptions(threads: options.threads ?? CPUDeviceOptions.defaultThreads).withEnvironment()
        let (model, tokenizer, setup) = try await OwnThread.run { _ throws(ShardKitError) in
            try Self.open(shards.path, mode, options, threads: cpu.threads)
        }
        let contextLength = options.contextLength(for: model)
        let engine: LocalEngine
        do {
            engine = try await LocalEngine(
                LocalEngine.Options(name: model.file.name, sequencesMax: options.sequencesMax)
            ) { () throws(InferenceError) in
                if let setup { return try model.chain(cpu: cpu, setup, progress: progress) }
                return try model.chain(
                    cpu: cpu, cacheType: options.cacheElementType, contextLength: contextLength,
                    sequencesMax: options.sequencesMax, progress: progress)
            }
        } catch {
            throw ShardKitError(error)
        }
        self.engine = engine
        self.mode = mode
        self.device = device
        self.setup = setup
        // Read from disk, no shard's weights stay before another's at first.
        state = Mutex(
            State(isLoaded: Array(repeating: setup == nil, count: model.shards.count), plan: setup?.parts[0].plan))
        core = RunnerCore(
            model: model, engine: engine, tokenizer: tokenizer, contextLength: contextLength
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

    /// What runs, and where. Of a model that is read from disk, what was read is that of the last call of
    /// ``refreshInfo()``.
    public var info: RunnerInfo {
        let state = state.withLock { $0 }
        var info = core.info(
            mode: mode.name, shards: core.model.shards,
            residentBytes: state.plan.map { plan in { plan.pinnedBytes(ofUnits: self.units(of: $0)) } }
        ) { index in (device, nil, state.isLoaded[index]) }
        if let setup, let plan = state.plan {
            let needed = plan.pinnedBytes + plan.streamedBytes
            info.streaming = RunnerInfo.Streaming(
                budgetBytes: setup.budget.limitBytes, pinnedBytes: plan.pinnedBytes,
                streamedBytes: plan.streamedBytes, readBytes: state.report?.statistics.readBytes ?? 0,
                waited: state.report?.statistics.waited ?? .zero,
                hitRate: needed == 0 ? 1 : Double(plan.pinnedBytes) / Double(needed),
                expertCacheBytes: plan.expertCacheBytes > 0 ? plan.expertCacheBytes : nil,
                expertHitRate: state.report?.experts?.hitRate)
        }
        return info
    }

    /// ``info`` with what was read from disk up to now; waits until no sequence runs.
    public func refreshInfo() async throws(ShardKitError) -> RunnerInfo {
        if let setup {
            let budget = setup.budget
            let report = try await perform { chain throws(InferenceError) in chain.streamingReport(budget) }
            state.withLock { $0.report = report }
        }
        return info
    }

    /// ``info`` as a few lines for people.
    public func summary() -> String { info.summary }

    /// Puts a shard's weights back into memory; one that is there stays.
    ///
    /// In mode memory-efficient its weights stay from now on before those of other shards, as far as the budget goes.
    public func loadShard(_ index: Int) async throws(ShardKitError) {
        if setup != nil { return try await wish(.first, for: index) }
        try await perform { chain throws(InferenceError) in try chain.load(index) }
        state.withLock { $0.isLoaded[index] = true }
    }

    /// Gives a shard's memory back. Until it is loaded again, logits and generations fail and say so.
    ///
    /// In mode memory-efficient nothing fails: its weights are read from disk each time that they are needed.
    public func unloadShard(_ index: Int) async throws(ShardKitError) {
        if setup != nil { return try await wish(.never, for: index) }
        try await perform { chain throws(InferenceError) in try chain.unload(index) }
        state.withLock { $0.isLoaded[index] = false }
    }

    /// Of a model that is read from disk: plans anew what stays, and loads that.
    private func wish(_ wish: ResidencyWish, for index: Int) async throws(ShardKitError) {
        let shards = core.model.shards
        guard let setup, shards.indices.contains(index) else {
            throw ShardKitError(.request, "shard \(index): expected one of 0 to \(shards.count - 1)")
        }
        state.withLock { $0.wishes[index] = wish }
        try await perform { chain throws(InferenceError) in
            // Planned when its turn has come: with all that was wished up to then.
            let wishes = self.state.withLock { $0.wishes }
            var wishesOfUnits: [Int: ResidencyWish] = [:]
            for (shard, wish) in wishes {
                for unit in self.units(of: shard) { wishesOfUnits[unit] = wish }
            }
            let plan = setup.parts[0].plan.with(wishes: wishesOfUnits, pinnedBytesMax: setup.budget.pinnedBytesMax)
            try chain.change(plan)
            self.state.withLock { state in
                for (shard, wish) in wishes { state.isLoaded[shard] = wish == .first }
                state.plan = plan
            }
        }
    }

    /// Layers of a shard, and the layer count where the head is in it.
    private func units(of shard: Int) -> Range<Int> {
        let shards = core.model.shards
        return shards[shard].lowerBound..<shards[shard].upperBound + (shard == shards.count - 1 ? 1 : 0)
    }

    private func perform<Value: Sendable>(
        _ work: @escaping @Sendable (ShardChain) throws(InferenceError) -> Value
    ) async throws(ShardKitError) -> Value {
        do { return try await engine.perform(work) } catch { throw ShardKitError(error) }
    }

    /// Opens the model, makes its tokenizer, and plans its memory, in that order: what the process holds is part of a budget.
    private static func open(
        _ path: String, _ mode: RunnerMode, _ options: RunnerOptions, threads: Int
    ) throws(ShardKitError) -> (OpenedModel, Tokenizer?, StreamingSetup?) {
        guard case .memoryEfficient(let budget) = mode else {
            let model = try OpenedModel(path: path, hashes: .remembered)
            try model.checkMemory(
                cacheType: options.cacheElementType, contextLength: options.contextLength(for: model),
                sequencesMax: options.sequencesMax)
            return (model, try? model.tokenizer(), nil)
        }
        let model = try OpenedModel(path: path, hashes: .rememberedFirst)
        let tokenizer = try? model.tokenizer()
        let setup = try model.streamingSetup(
            budgetBytes: budget, cacheType: options.cacheElementType,
            contextLength: options.contextLength(for: model), sequencesMax: options.sequencesMax, threads: threads)
        return (model, tokenizer, setup)
    }

    /// Computes the logits of one short sequence again and again.
    public func benchmark(runs: Int = 10) async throws(ShardKitError) -> BenchmarkResult {
        try await core.benchmark(runs: runs)
    }
}
