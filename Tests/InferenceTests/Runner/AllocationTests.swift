import CAllocations
import Devices
import Foundation
import Inference
import Sharding
import Testing

/// Allocations on the thread that runs steps; `SHARD_SHOW_ALLOCATIONS=1` prints the stack of each that a step makes.
///
/// Each run starts with steps as large and as deep as any later one, so that scratch memory has its size.
@Suite("Allocations of a step", .enabled(if: shard_allocations_are_counted()))
struct AllocationTests {
    /// Of a result: the array of sequences.
    private static let perResultMax = 1
    /// Of a sequence in a result: its tokens.
    private static let perSequenceMax = 1
    /// Of each call whose tasks several threads share: a closure that they may hold.
    private static let perSharedCallMax = 1
    /// Projections, attention and the merge of its spans; what is small is not shared.
    private static let sharedCallsPerLayerMax = 6

    private static let positions = 60..<140  // with two borders of cache blocks
    private let model = TestModel(.q4_0, sizes: windowed(.odd(for: .q4_0)))
    private let mixture = TestModel(.q4_0, sizes: windowed(.mixture(for: .q4_0)))

    private static func windowed(_ sizes: TestModel.Sizes) -> TestModel.Sizes {
        var sizes = sizes
        sizes.window = 50
        return sizes
    }

    @Test("malloc is counted")
    func isCounted() throws {
        let before = shard_allocation_count()
        let numbers = [Int](repeating: Int(before), count: 1000)
        #expect(numbers.count == 1000)
        #expect(shard_allocation_count() > before)
    }

    @Test(
        "a stage without a head allocates nothing but what sharing a call between threads takes", arguments: [1, 5],
        [1, 2])
    func stage(sequences: Int, threads: Int) throws {
        let counts = try counts(
            layers: 0..<2, hasHead: false, sequences: sequences, .greedy, .none, threads: threads)
        let shared = threads > 1 ? Self.sharedCallsPerLayerMax * Self.perSharedCallMax : 0
        let limit = 2 * shared
        #expect(counts.allSatisfy { $0 <= limit }, "at most \(limit): \(counts)")
    }

    @Test("rows that want nothing allocate no more on a stage with the head")
    func prompt() throws {
        let counts = try counts(layers: 0..<3, hasHead: true, sequences: 2, .greedy, .none)
        let limit = 0
        #expect(counts.allSatisfy { $0 <= limit }, "at most \(limit): \(counts)")
    }

    @Test("experts allocate nothing", arguments: [1, 5])
    func experts(sequences: Int) throws {
        let counts = try counts(
            mixture, layers: 0..<3, hasHead: false, sequences: sequences, .greedy, .none)
        #expect(counts.allSatisfy { $0 == 0 }, "none: \(counts)")
    }

    @Test("choosing tokens allocates what the result is made of and no more", arguments: Self.samplings)
    func tokens(sampling: SamplingParameters) throws {
        for sequences in [1, 5] {
            let counts = try counts(layers: 0..<3, hasHead: true, sequences: sequences, sampling, .token)
            let limit = Self.perResultMax + sequences * Self.perSequenceMax
            #expect(counts.allSatisfy { $0 <= limit }, "at most \(limit): \(counts)")
        }
    }

    private static let samplings = [
        SamplingParameters.greedy,
        SamplingParameters(temperature: 0.8, topK: 40, topP: 0.9, minP: 0.01, seed: 3),
        SamplingParameters(
            temperature: 1, repetitionPenalty: 1.1, presencePenalty: 0.1, frequencyPenalty: 0.1, seed: 4,
            logitBias: [TokenLogitBias(token: 7, bias: 1)]),
    ]

    /// Allocations of each step that adds one position to each sequence.
    private func counts(
        _ mixture: TestModel? = nil, layers: Range<Int>, hasHead: Bool, sequences: Int, _ sampling: SamplingParameters,
        _ wants: RowOutput,
        threads: Int = 1
    ) throws -> [Int] {
        let model = mixture ?? model
        let device = try CPUDevice(CPUDeviceOptions(threads: threads))
        let weights = try ResidentWeights(
            model: model.spec, layers: layers, hasHead: hasHead, source: model.source, device: device)
        let runner = try ShardRunner(
            model: model.spec,
            options: ShardRunnerOptions(
                layers: layers, hasHead: hasHead, cacheBlockCount: 6 * sequences, contextLength: 256),
            weights: weights, device: device)
        let tokens = model.tokens(Self.positions.upperBound)
        let ids = { (first: Int) in (first..<first + sequences).map { SequenceID(UInt64($0)) } }
        let (deep, measured) = (ids(100), ids(1))
        func rows(_ ids: [SequenceID], _ positions: Range<Int>, _ wants: RowOutput) -> [StepRow] {
            ids.flatMap { id in
                positions.map {
                    StepRow(
                        sequence: id, position: $0, token: tokens[$0],
                        output: $0 == positions.upperBound - 1 ? wants : .none)
                }
            }
        }
        let begin = { (id: SequenceID) in
            SequenceOperation.begin(id, SequenceStart(tokens: [tokens[0]], sampling: sampling))
        }
        let last = Self.positions.upperBound - 1
        var steps: [Step] = []
        for (group, end) in [(deep, last), (measured, Self.positions.lowerBound - 1)] {
            steps.append(Step(id: 0, operations: group.map(begin), rows: []))
            for id in group { steps.append(Step(id: 0, rows: rows([id], 0..<end, .none))) }
            steps.append(Step(id: 0, rows: rows(group, end..<end + 1, wants)))
        }
        steps.insert(Step(id: 0, operations: deep.map { .free($0) }), at: 2 + sequences)
        let warmUpCount = steps.count
        for position in Self.positions {
            steps.append(Step(id: 0, rows: rows(measured, position..<position + 1, wants)))
        }

        let rowsMax = steps.map(\.rows.count).max() ?? 0
        let hidden = [Float](repeating: 0.5, count: rowsMax * model.spec.hiddenSize)
        var output = hidden
        var counts = [Int](repeating: 0, count: steps.count)
        try hidden.withUnsafeBytes { hidden in
            try output.withUnsafeMutableBytes { output in
                for (index, step) in steps.enumerated() {
                    let bytes = step.rows.count * model.spec.hiddenSize * 4
                    let (input, target) = (
                        UnsafeRawBufferPointer(rebasing: hidden[..<bytes]),
                        UnsafeMutableRawBufferPointer(rebasing: output[..<bytes])
                    )
                    shard_allocations_show(Self.shows && index >= warmUpCount)
                    let before = shard_allocation_count()
                    let result = try runner.run(step, hidden: input, output: target)
                    counts[index] = shard_allocation_count() - before
                    shard_allocations_show(false)
                    #expect(
                        result?.sequences.count ?? 0 == (wants == .token && index >= warmUpCount ? sequences : 0)
                            || index < warmUpCount)
                }
            }
        }
        return Array(counts[warmUpCount...])
    }

    private static let shows = ProcessInfo.processInfo.environment["SHARD_SHOW_ALLOCATIONS"] != nil
}
