import Devices
import Inference
import Sharding
import Tensors
import Testing

/// The property that everything rests on: logits are equal bit for bit however the work is split.
@Suite("One answer")
struct OneAnswerTests {
    static let types: [ElementType] = [.f32, .f16, .bf16, .q8_0, .q4_0, .q4_K, .q6_K]

    /// One way to compute the same logits.
    struct Way: Sendable, CustomStringConvertible {
        var shards = 1
        var chunk = 256
        var threads = 1
        var kernels = "scalar"

        var description: String { "\(shards) shards, \(chunk) rows a step, \(threads) threads, \(kernels)" }
        var device: CPUDeviceOptions { CPUDeviceOptions(threads: threads, kernels: kernels) }
    }

    static var ways: [Way] {
        var ways = [
            Way(shards: 2), Way(shards: 3, chunk: 7), Way(chunk: 1, threads: 2), Way(chunk: 100, threads: 3),
            Way(shards: 3, chunk: 1, threads: 3),
        ]
        for kernels in CPUDeviceOptions.availableKernels where kernels != "scalar" {
            ways.append(Way(chunk: 7, kernels: kernels))
            ways.append(Way(shards: 2, threads: 2, kernels: kernels))
        }
        return ways
    }

    @Test("logits do not depend on shards, chunks, threads or instruction sets", arguments: types)
    func ways(type: ElementType) throws {
        let model = TestModel(type)
        let tokens = model.tokens(150)
        let expected = try logits(model, tokens, Way())
        #expect(expected.count == tokens.count * model.spec.vocabularySize)
        #expect(expected.allSatisfy { $0.isFinite })
        for way in Self.ways {
            let got = try logits(model, tokens, way)
            #expect(bitDifferences(got, expected) == 0, "\(way)")
        }
    }

    @Test("nor beyond one span of attention, in any cache type", arguments: CacheElementType.allCases)
    func longContext(cacheType: CacheElementType) throws {
        let model = TestModel(.q8_0)
        let tokens = model.tokens(1100)
        let expected = try logits(model, tokens, Way(), cacheType: cacheType)
        for way in [Way(shards: 2, chunk: 7, threads: 2), Way(chunk: 1, threads: 3), Way(chunk: 200, threads: 2)] {
            #expect(bitDifferences(try logits(model, tokens, way, cacheType: cacheType), expected) == 0, "\(way)")
        }
    }

    @Test("nor with mixtures of experts", arguments: [ElementType.q4_K, .q8_0, .bf16])
    func experts(type: ElementType) throws {
        let model = TestModel(type, sizes: .mixture(for: type))
        let tokens = model.tokens(90)
        let expected = try logits(model, tokens, Way())
        #expect(expected.allSatisfy { $0.isFinite })
        for way in Self.ways {
            #expect(bitDifferences(try logits(model, tokens, way), expected) == 0, "\(way)")
        }
    }

    @Test("nor with a sliding window that starts inside a group")
    func window() throws {
        var sizes = TestModel.Sizes.odd(for: .f16)
        sizes.window = 93
        let model = TestModel(.f16, sizes: sizes)
        let tokens = model.tokens(700)
        let expected = try logits(model, tokens, Way())
        for way in [Way(shards: 3, chunk: 7, threads: 2), Way(chunk: 1)] {
            #expect(bitDifferences(try logits(model, tokens, way), expected) == 0, "\(way)")
        }
        #expect(bitDifferences(try logits(TestModel(.f16), tokens, Way()), expected) > 0)
    }

    @Test("a sequence is the same alone and among others", arguments: [ElementType.q4_K, .f32])
    func amongOthers(type: ElementType) throws {
        let model = TestModel(type)
        let sequences = [model.tokens(70, seed: 1), model.tokens(5, seed: 2), model.tokens(131, seed: 3)]
        let alone = try sequences.map { try logits(model, $0, Way()) }
        let chain = try model.chain(cacheBlockCount: 16, device: CPUDeviceOptions(threads: 2))
        var together = sequences.map { _ in [Float]() }
        var done = sequences.map { _ in 0 }
        var operations = sequences.enumerated().map { index, tokens in
            SequenceOperation.begin(SequenceID(UInt64(index + 1)), SequenceStart(tokens: tokens))
        }
        // Prompts of different sizes advance by different chunks, so that steps mix everything.
        for step in 1... {
            var rows: [StepRow] = []
            for index in sequences.indices {
                let end = min(done[index] + [9, 1, 17][index], sequences[index].count)
                for position in done[index]..<end {
                    rows.append(
                        StepRow(
                            sequence: SequenceID(UInt64(index + 1)), position: position,
                            token: sequences[index][position], output: .logits))
                }
            }
            if rows.isEmpty { break }
            let result = try chain.run(Step(id: UInt64(step), operations: operations, rows: rows))
            operations = []
            for (index, row) in rows.enumerated() {
                let size = model.spec.vocabularySize
                let sequence = Int(row.sequence.rawValue) - 1
                together[sequence] += result.logits[index * size..<(index + 1) * size]
                done[sequence] += 1
            }
        }
        for index in sequences.indices { #expect(bitDifferences(together[index], alone[index]) == 0) }
    }

    @Test("a sequence that begins with the state of another, and that one, go on as if each had been computed alone")
    func sharedPrefix() throws {
        let model = TestModel(.q8_0)
        let chain = try model.chain(cacheBlockCount: 16)
        let prompt = model.tokens(100)
        let (parent, child) = (SequenceID(1), SequenceID(2))
        _ = try chain.run(
            Step(id: 1, operations: [.begin(parent, SequenceStart(tokens: prompt))], rows: rows(parent, prompt, 0)))
        let ends = [model.tokens(30, seed: 11), model.tokens(30, seed: 12)]
        let result = try chain.run(
            Step(
                id: 2,
                operations: [
                    .begin(
                        child,
                        SequenceStart(
                            tokens: prompt.prefix(90) + ends[1], prefix: SharedPrefix(sequence: parent, length: 90)))
                ],
                rows: rows(parent, ends[0], 100) + rows(child, ends[1], 90)))
        let expected = [
            try logits(model, prompt + ends[0], Way()).suffix(30 * model.spec.vocabularySize),
            try logits(model, prompt.prefix(90) + ends[1], Way()).suffix(30 * model.spec.vocabularySize),
        ]
        #expect(bitDifferences(result.logits, expected[0] + expected[1]) == 0)
    }

    @Test("what was truncated and written anew leaves no trace")
    func truncate() throws {
        let model = TestModel(.f16)
        let chain = try model.chain()
        let tokens = model.tokens(120)
        let id = SequenceID(1)
        _ = try chain.run(
            Step(
                id: 1, operations: [.begin(id, SequenceStart(tokens: []))],
                rows: rows(id, model.tokens(120, seed: 99), 0)))
        let result = try chain.run(
            Step(id: 2, operations: [.truncate(id, length: 0)], rows: rows(id, tokens, 0)))
        #expect(bitDifferences(result.logits, try logits(model, tokens, Way())) == 0)
    }

    private func rows(_ sequence: SequenceID, _ tokens: [TokenID], _ first: Int) -> [StepRow] {
        tokens.enumerated().map {
            StepRow(sequence: sequence, position: first + $0, token: $1, output: .logits)
        }
    }

    private func logits(
        _ model: TestModel, _ tokens: some Sequence<TokenID>, _ way: Way, cacheType: CacheElementType = .f32
    ) throws -> [Float] {
        let chain = try model.chain(shards: way.shards, cacheType: cacheType, contextLength: 2048, device: way.device)
        var all: [Float] = []
        try chain.logits(of: Array(tokens), chunk: way.chunk) { all += $0 }
        return all
    }
}
