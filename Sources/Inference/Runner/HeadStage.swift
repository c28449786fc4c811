import CKernels
import Devices
import Models
import Sharding

/// The output norm, the head, and the choice of tokens: what the last stage does after its layers.
final class HeadStage {
    let sequences: SampledSequences
    private let device: any Device
    private let epsilon: Float
    private let vocabularySize: Int
    private let hidden: any DeviceBuffer
    private let normed: any DeviceBuffer
    private let logits: any DeviceBuffer
    private let hostLogits: UnsafeMutableBufferPointer<Float>
    private let sampler: Sampler
    private var projections = ProjectionList()
    /// Indices of the step's rows that want something, and those of them that are computed together.
    private var wanted: [Int] = []
    private var together: [Int] = []

    init(model: ModelSpec, contextLength: Int, device: any Device) throws(InferenceError) {
        self.device = device
        sequences = SampledSequences(contextLength: contextLength)
        epsilon = model.head.norm.epsilon
        vocabularySize = model.vocabularySize
        let rows = ShardRunnerOptions.logitRowsMax
        let make = { (columns: Int) throws(InferenceError) -> any DeviceBuffer in
            try onDevice("head activations") { () throws(DeviceError) in
                try device.makeBuffer(rowCapacity: rows, columnCount: columns)
            }
        }
        hidden = try make(model.hiddenSize)
        normed = try make(model.hiddenSize)
        logits = try make(model.vocabularySize)
        hostLogits = .allocate(capacity: rows * model.vocabularySize)
        sampler = Sampler(vocabularySize: model.vocabularySize)
    }

    deinit { hostLogits.deallocate() }

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
        for index in step.rows.indices where step.rows[index].output != .none { wanted.append(index) }
        guard !wanted.isEmpty else { return result }
        result.sequences.reserveCapacity(wanted.count)
        let head = try weights.head()
        for first in stride(from: 0, to: wanted.count, by: hidden.rowCapacity) {
            together.removeAll(keepingCapacity: true)
            together.append(contentsOf: wanted[first..<min(first + hidden.rowCapacity, wanted.count)])
            device.gather(together, of: source, into: hidden)
            device.normalize(hidden, weight: head.norm, epsilon: epsilon, rowCount: together.count, into: normed)
            projections.add(WeightProjection(head.output, into: logits))
            try projections.run(on: device, normed, rowCount: together.count)
            try onDevice("logits") { () throws(DeviceError) in
                try device.download(
                    0..<together.count, of: logits, to: UnsafeMutableRawPointer(hostLogits.baseAddress!))
            }
            for (index, row) in together.enumerated() {
                let slice = UnsafeMutableBufferPointer(
                    rebasing: hostLogits[index * vocabularySize..<(index + 1) * vocabularySize])
                finish(step.rows[row], logits: slice, into: &result)
            }
        }
        return result
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
