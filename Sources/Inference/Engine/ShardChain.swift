import Devices
import Models
import Sharding

/// A whole model in one process: the embedding, then one or several runners in order.
///
/// Several runners give the same bits as one. Belongs to the thread that made it.
package final class ShardChain {
    package struct Options: Sendable, Hashable {
        /// Layers of each shard, consecutive from 0; the last shard has the head.
        package var shards: [Range<Int>]
        package var cacheType: CacheElementType
        /// Blocks of 64 positions that all sequences together may take, in each shard.
        package var cacheBlockCount: Int
        package var rowsMax: Int
        package var contextLength: Int

        package init(
            shards: [Range<Int>], cacheType: CacheElementType = .f16, cacheBlockCount: Int? = nil,
            rowsMax: Int = 256, contextLength: Int
        ) {
            self.shards = shards
            self.cacheType = cacheType
            self.cacheBlockCount = cacheBlockCount ?? KVCache.blocksNeeded(positions: contextLength)
            self.rowsMax = rowsMax
            self.contextLength = contextLength
        }
    }

    package let model: ModelSpec
    package let options: Options
    /// In order; nil where a shard is not loaded.
    package private(set) var runners: [ShardRunner?]
    /// The weights of a model of which a part is read from disk; nil when all stay in memory.
    package private(set) var streamed: StreamedWeights?
    private var weights: WeightOrigin
    private let device: any Device
    private let embedding: EmbeddingTable
    /// `[rowsMax, hiddenSize]`, between stages.
    private let hidden: UnsafeMutableBufferPointer<Float>

    /// Where the shards' weights come from, and whether they stay.
    private enum WeightOrigin {
        case resident(any TensorSource)
        case streamed(StreamedTensors, ResidencyPlan, ringBytes: Int)
    }

    /// Loads all shards onto `device`.
    ///
    /// - Parameter progress: called after each unit (a layer, the head) with the fraction that is done.
    package convenience init(
        model: ModelSpec, source: any TensorSource, device: any Device, options: Options,
        progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) {
        try self.init(
            model, .resident(source), try EmbeddingTable(model: model, source: source), device, options, progress)
    }

    /// Loads what may stay in memory; the rest is read for each step. The model is one shard.
    ///
    /// - Parameter ringBytes: of the memory through which weights are read.
    package convenience init(
        model: ModelSpec, tensors: StreamedTensors, plan: ResidencyPlan, ringBytes: Int, device: any Device,
        options: Options, progress: (Double) -> Void = { _ in }
    ) throws(InferenceError) {
        guard options.shards.count == 1 else {
            throw InferenceError(
                .invalidOption, place: "shards", "expected one that streams, got \(options.shards.count)")
        }
        try self.init(
            model, .streamed(tensors, plan, ringBytes: ringBytes),
            try EmbeddingTable(model: model, tensors: tensors), device, options, progress)
    }

    private init(
        _ model: ModelSpec, _ weights: WeightOrigin, _ embedding: EmbeddingTable, _ device: any Device,
        _ options: Options, _ progress: (Double) -> Void
    ) throws(InferenceError) {
        guard let last = options.shards.last, options.shards.first?.lowerBound == 0,
            last.upperBound == model.layers.count,
            zip(options.shards, options.shards.dropFirst()).allSatisfy({ $0.upperBound == $1.lowerBound })
        else {
            throw InferenceError(
                .invalidOption, place: "shards",
                "expected consecutive ranges of 0..<\(model.layers.count), got \(options.shards)")
        }
        self.model = model
        self.options = options
        self.weights = weights
        self.device = device
        self.embedding = embedding
        runners = Array(repeating: nil, count: options.shards.count)
        hidden = .allocate(capacity: options.rowsMax * model.hiddenSize)
        for index in options.shards.indices { try load(index, progress: progress) }
    }

    /// Puts a shard's weights onto the device; one that is there stays as it is.
    ///
    /// - Parameter progress: called after each unit with the fraction of the whole model that lies before its end.
    package func load(_ index: Int, progress: (Double) -> Void = { _ in }) throws(InferenceError) {
        guard runners.indices.contains(index), runners[index] == nil else { return try check(shard: index) }
        let layers = options.shards[index]
        let hasHead = index == options.shards.count - 1
        let residency: any WeightResidency
        switch weights {
        case .resident(let source):
            let unitCount = Double(model.layers.count + 1)
            residency = try ResidentWeights(
                model: model, layers: layers, hasHead: hasHead, source: source, device: device
            ) { state throws(InferenceError) in
                progress(Double(layers.lowerBound + state.unitsDone) / unitCount)
            }
        case .streamed(let tensors, let plan, let ringBytes):
            let weights = try StreamedWeights(
                model: model, layers: layers, hasHead: hasHead, tensors: tensors, plan: plan, ringBytes: ringBytes,
                device: device
            ) { state throws(InferenceError) in progress(Double(state.unitsDone) / Double(max(1, state.unitCount))) }
            streamed = weights
            residency = weights
        }
        runners[index] = try ShardRunner(
            model: model,
            options: ShardRunnerOptions(
                layers: layers, hasHead: hasHead, cacheType: options.cacheType,
                cacheBlockCount: options.cacheBlockCount, rowsMax: options.rowsMax,
                contextLength: options.contextLength),
            weights: residency, device: device)
    }

    /// Gives a shard's weights and cache back; steps fail until it is loaded again.
    package func unload(_ index: Int) throws(InferenceError) {
        try check(shard: index)
        runners[index] = nil
    }

    /// Lets other weights of a model that is read from disk stay. Those that stayed are given back before others are
    /// loaded, and all sequences are forgotten; where loading fails, steps fail until it is tried again.
    package func change(_ plan: ResidencyPlan) throws(InferenceError) {
        guard case .streamed(let tensors, _, let ringBytes) = weights else {
            throw InferenceError(.invalidOption, place: "residency", "expected a model that is read from disk")
        }
        weights = .streamed(tensors, plan, ringBytes: ringBytes)
        runners[0] = nil
        streamed = nil
        try load(0)
    }

    private func check(shard index: Int) throws(InferenceError) {
        guard !runners.indices.contains(index) else { return }
        throw InferenceError(
            .invalidOption, place: "shard \(index)", "expected one of 0 to \(runners.count - 1)")
    }

    deinit { hidden.deallocate() }

    /// One step through all shards.
    package func run(_ step: Step) throws(InferenceError) -> StepResult {
        guard step.rows.count <= options.rowsMax else {
            throw InferenceError(
                .invalidStep, place: "step \(step.id)",
                "expected at most \(options.rowsMax) rows, got \(step.rows.count)")
        }
        let states = UnsafeMutableBufferPointer(rebasing: hidden[..<(step.rows.count * model.hiddenSize)])
        try embedding.decode(step.rows, into: states)
        let bytes = UnsafeMutableRawBufferPointer(states)
        for (index, runner) in runners.enumerated() {
            guard let runner else {
                throw InferenceError(.invalidOption, place: "shard \(index)", "expected it loaded; load it first")
            }
            if let result = try runner.run(step, hidden: UnsafeRawBufferPointer(bytes), output: bytes) { return result }
        }
        preconditionFailure("the last shard has the head")
    }

    /// Forgets all sequences.
    package func reset() {
        for runner in runners { runner?.reset() }
    }

    /// The logits that follow each token: a diagnostic.
    ///
    /// - Parameters:
    ///   - chunk: rows of one step at most; the bits do not depend on it.
    ///   - body: called with `[rows, vocabularySize]` of the next rows, in order.
    package func logits(
        of tokens: [TokenID], chunk: Int? = nil, _ body: ([Float]) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        let rowsPerStep = min(chunk ?? options.rowsMax, options.rowsMax)
        guard rowsPerStep > 0 else {
            throw InferenceError(.invalidOption, place: "chunk", "expected at least 1 row, got \(rowsPerStep)")
        }
        let sequence = SequenceID(0)
        var operations = [SequenceOperation.begin(sequence, SequenceStart(tokens: tokens))]
        defer { reset() }
        var id: UInt64 = 0
        for first in stride(from: 0, to: tokens.count, by: rowsPerStep) {
            id += 1
            let rows = (first..<min(first + rowsPerStep, tokens.count)).map {
                StepRow(sequence: sequence, position: $0, token: tokens[$0], output: .logits)
            }
            let result = try run(Step(id: id, operations: operations, rows: rows))
            operations = []
            for case .failed(let message) in result.sequences.map(\.outcome) {
                throw InferenceError(.invalidStep, place: "logits", message)
            }
            try body(result.logits)
        }
    }
}
