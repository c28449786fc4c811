import Devices
import Models
import Sharding

/// Runs a range of a model's layers, and the output head if it has it, for steps of many sequences.
///
/// The bits of a row's result depend on its sequence's tokens and positions alone: not on the other rows of the step,
/// nor on how the model, the prompt, or the work between threads is split. It holds nothing that cannot be rebuilt
/// from the tokens. Made on the thread that uses it; never leaves it.
package final class ShardRunner {
    package let model: ModelSpec
    package let options: ShardRunnerOptions
    package let cache: KVCache

    let device: any Device
    let weights: any WeightResidency
    let buffers: ActivationBuffers
    /// For each layer of the shard, in order; layers that turn alike share one.
    let rotaries: [(any DeviceRotary)?]
    let head: HeadStage?
    var projections = ProjectionList()
    private var rows = RowPlacement()
    private var plan = StepPlan()

    /// Allocates the cache and the scratch buffers; `options` say how large.
    package init(
        model: ModelSpec, options: ShardRunnerOptions, weights: any WeightResidency, device: any Device
    ) throws(InferenceError) {
        try model.check(layers: options.layers)
        guard options.rowsMax > 0, options.contextLength > 0, options.cacheBlockCount >= 0 else {
            throw InferenceError(
                .invalidOption, place: "runner options", "expected positive rowsMax and contextLength, got \(options)")
        }
        self.model = model
        self.options = options
        self.weights = weights
        self.device = device
        let layers = model.layers[options.layers]
        cache = try KVCache(
            shapes: layers.map { $0.cacheShape(options.cacheType) }, blockCount: options.cacheBlockCount,
            contextLength: options.contextLength, device: device)
        buffers = try ActivationBuffers(model: model, options: options, device: device)
        var rotaries: [RotarySpec: any DeviceRotary] = [:]
        for case let rotary? in layers.map(\.attention.rotary) where rotaries[rotary] == nil {
            rotaries[rotary] = try onDevice("rotary") { () throws(DeviceError) in
                try device.makeRotary(RotaryParameters(rotary))
            }
        }
        self.rotaries = layers.map { layer in layer.attention.rotary.flatMap { rotaries[$0] } }
        head =
            options.hasHead
            ? try HeadStage(model: model, contextLength: options.contextLength, device: device) : nil
    }

    /// Computes one step.
    ///
    /// Beside what its device does, it allocates only what it returns (an array, and one for each token) and what
    /// operations keep; scratch memory grows when a step is larger than all before it.
    ///
    /// - Parameters:
    ///   - hidden: the rows' hidden states, `[rows, hiddenSize]`, f32, row-major, any alignment.
    ///   - output: where a runner without a head writes the rows' hidden states, of the same shape; may be a message's
    ///     memory. Ignored with a head.
    /// - Returns: tokens, logits and means from a runner with a head, nil without. A sequence whose values are not finite
    ///   gets a failed result; the others go on.
    /// - Throws: ``InferenceError`` when the step does not follow from the earlier ones, exceeds a limit, or the device
    ///   fails. Operations before the failure have then taken effect, and a repeated `begin` is refused: `free` the step's
    ///   sequences, or `reset`, before going on.
    package func run(
        _ step: Step, hidden: UnsafeRawBufferPointer, output: UnsafeMutableRawBufferPointer
    ) throws(InferenceError) -> StepResult? {
        let bytes = step.rows.count * model.hiddenSize * MemoryLayout<Float>.size
        try plan.read(step.rows, options: options)
        guard hidden.count == bytes, options.hasHead || output.count == bytes else {
            throw InferenceError(
                .invalidStep, place: "step \(step.id)",
                "expected \(bytes) bytes of hidden states for \(step.rows.count) rows, got \(hidden.count)")
        }
        try apply(step.operations)
        if !step.rows.isEmpty {
            weights.begin(needsHead: head != nil && step.rows.contains { $0.output.needsLogits })
            try place(step.rows)
            device.upload(hidden, rowCount: step.rows.count, to: buffers.hidden)
            try runLayers(rowCount: step.rows.count)
        }
        if let head {
            return try head.run(step, plan: plan, weights: weights, hidden: buffers.hidden)
        }
        if !step.rows.isEmpty, let target = output.baseAddress {
            try onDevice("step \(step.id)") { () throws(DeviceError) in
                try device.download(0..<step.rows.count, of: buffers.hidden, to: target)
            }
        }
        return nil
    }

    /// Forgets all sequences.
    package func reset() {
        cache.freeAll()
        head?.sequences.removeAll()
    }

    private func apply(_ operations: [SequenceOperation]) throws(InferenceError) {
        for operation in operations {
            switch operation {
            case .begin(let sequence, let start):
                if let prefix = start.prefix {
                    try cache.fork(prefix.sequence, to: sequence, length: prefix.length)
                } else {
                    try cache.begin(sequence)
                }
                try head?.sequences.begin(sequence, start)
            case .truncate(let sequence, let length):
                try cache.truncate(sequence, to: length)
                head?.sequences.truncate(sequence, to: length)
            case .free(let sequence):
                cache.free(sequence)
                head?.sequences.free(sequence)
            }
        }
    }

    /// Makes room for the rows' positions and tells the device where they stand.
    private func place(_ stepRows: [StepRow]) throws(InferenceError) {
        rows.removeAll()
        for run in plan.runs {
            try cache.prepareWrite(run.sequence, positions: run.positions)
            let start = Int32(rows.blocks.count)
            rows.blocks.append(contentsOf: cache.blocks(of: run.sequence))
            for position in run.positions {
                rows.positions.append(Int32(position))
                rows.tableStarts.append(start)
            }
        }
        device.upload(rows, to: buffers.placement)
    }
}

extension RotaryParameters {
    init(_ spec: RotarySpec) {
        self.init(
            pairsAdjacent: spec.pairing == .adjacent, frequencies: spec.frequencies, magnitude: spec.magnitude)
    }
}
