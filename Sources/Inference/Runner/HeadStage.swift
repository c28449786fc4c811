import CKernels
import Devices
import Models
import Sharding

/// The output norm, the head, the choice of tokens, and means of hidden states: what the last stage does after its layers.
final class HeadStage {
    let sequences: SampledSequences
    private let device: any Device
    private let epsilon: Float
    private let vocabularySize: Int
    private let hiddenSize: Int
    private let hidden: any DeviceBuffer
    private let normed: any DeviceBuffer
    private let logits: any DeviceBuffer
    /// Logits or hidden states of the rows that are computed together.
    private let host: UnsafeMutableBufferPointer<Float>
    private let sampler: Sampler
    private var projections = ProjectionList()
    /// Indices of the step's rows that want logits, of those that are pooled, and of those that are computed together.
    private var wanted: [Int] = []
    private var pooled: [Int] = []
    private var together: [Int] = []

    init(model: ModelSpec, contextLength: Int, device: any Device) throws(InferenceError) {
        self.device = device
        sequences = SampledSequences(contextLength: contextLength)
        epsilon = model.head.norm.epsilon
        vocabularySize = model.vocabularySize
        hiddenSize = model.hiddenSize
        let rows = ShardRunnerOptions.logitRowsMax
        let make = { (columns: Int) throws(InferenceError) -> any DeviceBuffer in
            try onDevice("head activations") { () throws(DeviceError) in
                try device.makeBuffer(rowCapacity: rows, columnCount: columns)
            }
        }
        hidden = try make(model.hiddenSize)
        normed = try make(model.hiddenSize)
        logits = try make(model.vocabularySize)
        host = .allocate(capacity: rows * max(model.vocabularySize, model.hiddenSize))
        sampler = Sampler(vocabularySize: model.vocabularySize)
    }

    deinit { host.deallocate() }

    /// Results for the rows that want something, a few rows at a time.
    func run(
        _ step: Step, plan: StepPlan, weights: any WeightResidency, hidden source: any DeviceBuffer
    ) throws(InferenceError) -> StepResult {
        var result = StepResult(step: step.id, sequences: [])
        for run in plan.runs {
            let rows = step.rows[run.firstRow..<run.firstRow + run.positions.count]
            try sequences.extend(run.sequence, from: run.positions.lowerBound, by: rows)
        }
        wanted.removeAll(keepingCapacity: true)
        pooled.removeAll(keepingCapacity: true)
        for (index, row) in step.rows.enumerated() {
            if row.output.needsLogits { wanted.append(index) }
            if row.output.isPooled { pooled.append(index) }
        }
        guard !wanted.isEmpty || !pooled.isEmpty else { return result }
        result.sequences.reserveCapacity(wanted.count)
        let head = try weights.head()
        for first in stride(from: 0, to: wanted.count, by: hidden.rowCapacity) {
            normalize(wanted[first...], of: source, by: head)
            projections.add(WeightProjection(head.output, into: logits))
            try projections.run(on: device, normed, rowCount: together.count)
            try download(logits, "logits")
            for (index, row) in together.enumerated() {
                finish(step.rows[row], logits: hostRow(index, of: vocabularySize), into: &result)
            }
        }
        for first in stride(from: 0, to: pooled.count, by: hidden.rowCapacity) {
            normalize(pooled[first...], of: source, by: head)
            try download(normed, "hidden states")
            for (index, row) in together.enumerated() {
                try pool(step.rows[row], hidden: hostRow(index, of: hiddenSize), into: &result)
            }
        }
        return result
    }

    /// As many of the rows as are computed together.
    private func normalize(_ rows: ArraySlice<Int>, of source: any DeviceBuffer, by head: HeadWeights) {
        together.removeAll(keepingCapacity: true)
        together.append(contentsOf: rows.prefix(hidden.rowCapacity))
        device.gather(together, of: source, into: hidden)
        device.normalize(hidden, weight: head.norm, epsilon: epsilon, rowCount: together.count, into: normed)
    }

    private func download(_ buffer: any DeviceBuffer, _ what: String) throws(InferenceError) {
        try onDevice(what) { () throws(DeviceError) in
            try device.download(0..<together.count, of: buffer, to: UnsafeMutableRawPointer(host.baseAddress!))
        }
    }

    private func hostRow(_ index: Int, of count: Int) -> UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(rebasing: host[index * count..<(index + 1) * count])
    }

    private func pool(
        _ row: StepRow, hidden: UnsafeMutableBufferPointer<Float>, into result: inout StepResult
    ) throws(InferenceError) {
        guard let mean = try sequences.pool(row, hidden: UnsafeBufferPointer(hidden)) else { return }
        guard mean.allSatisfy(\.isFinite) else {
            result.sequences.append(
                .failure(row, "the mean of its hidden states is not finite; the model or its cache overflowed"))
            return
        }
        result.sequences.append(
            SequenceResult(sequence: row.sequence, position: row.position + 1, outcome: .mean(mean)))
    }

    private func finish(
        _ row: StepRow, logits: UnsafeMutableBufferPointer<Float>, into result: inout StepResult
    ) {
        if row.output == .logits { result.logits.append(contentsOf: logits) }
        if result.sequences.contains(where: { $0.sequence == row.sequence && $0.hasFailed }) { return }
        guard Sampler.areFinite(logits) else {
            result.sequences.append(
                .failure(
                    row, "the logits of position \(row.position) are not finite; the model or its cache overflowed"))
            return
        }
        guard row.output == .token else { return }
        do {
            let accepted = try sampler.sample(
                logits, for: sequences.sampling(of: row.sequence), position: row.position, mask: row.tokenMask)
            result.sequences.append(
                SequenceResult(
                    sequence: row.sequence, position: row.position + 1, outcome: .tokens([accepted]),
                    samplerState: sequences.sampling(of: row.sequence).state))
        } catch {
            result.sequences.append(.failure(row, "\(error)"))
        }
    }
}

extension SequenceResult {
    fileprivate static func failure(_ row: StepRow, _ message: String) -> SequenceResult {
        SequenceResult(sequence: row.sequence, position: row.position + 1, outcome: .failed(message))
    }

    fileprivate var hasFailed: Bool {
        if case .failed = outcome { true } else { false }
    }
}
