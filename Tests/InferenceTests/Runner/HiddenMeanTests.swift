import Devices
import Inference
import Sharding
import Tensors
import Testing

@Suite("Means of hidden states")
struct HiddenMeanTests {
    private let id = SequenceID(1)

    /// The rows of a sequence whose mean is wanted.
    private func rows(_ sequence: SequenceID, _ tokens: [TokenID]) -> [StepRow] {
        tokens.enumerated().map { position, token in
            StepRow(
                sequence: sequence, position: position, token: token,
                output: position == tokens.count - 1 ? .mean : .pooled)
        }
    }

    private func mean(_ result: StepResult, of sequence: SequenceID) -> [Float]? {
        result.sequences.lazy.compactMap {
            if case .mean(let values) = $0.outcome, $0.sequence == sequence { values } else { nil }
        }.first
    }

    private func mean(_ chain: ShardChain, _ tokens: [TokenID], chunk: Int) throws -> [Float] {
        let rows = rows(id, tokens)
        var operations = [SequenceOperation.begin(id, SequenceStart(tokens: tokens))]
        var means: [[Float]] = []
        for first in stride(from: 0, to: rows.count, by: chunk) {
            let part = Array(rows[first..<min(first + chunk, rows.count)])
            let result = try chain.run(Step(id: UInt64(first + 1), operations: operations, rows: part))
            operations = []
            if let mean = mean(result, of: id) { means.append(mean) }
        }
        #expect(means.count == 1, "only the last row asks")
        return try #require(means.last)
    }

    /// In f64, from the hidden states of a runner that has no head.
    private func reference(_ model: TestModel, _ tokens: [TokenID]) throws -> [Double] {
        let device = try CPUDevice(CPUDeviceOptions())
        let layers = 0..<model.spec.layers.count
        let runner = try ShardRunner(
            model: model.spec,
            options: ShardRunnerOptions(
                layers: layers, hasHead: false, cacheType: .f32, cacheBlockCount: 4, contextLength: 256),
            weights: try ResidentWeights(
                model: model.spec, layers: layers, hasHead: false, source: model.source, device: device),
            device: device)
        let size = model.spec.hiddenSize
        let rows = rows(id, tokens)
        var hidden = [Float](repeating: 0, count: rows.count * size)
        let table = try EmbeddingTable(model: model.spec, source: model.source)
        try hidden.withUnsafeMutableBufferPointer { try table.decode(rows, into: $0) }
        let input = hidden
        let step = Step(id: 1, operations: [.begin(id, SequenceStart(tokens: tokens))], rows: rows)
        try input.withUnsafeBytes { input in
            try hidden.withUnsafeMutableBytes { output in
                let result = try runner.run(step, hidden: input, output: output)
                #expect(result == nil)
            }
        }
        let norm = model.spec.head.norm
        let weight = try #require(try model.source.tensor(norm.weight)).bytes.bindMemory(to: Float.self)
        var mean = [Double](repeating: 0, count: size)
        for row in tokens.indices {
            let values = hidden[row * size..<(row + 1) * size].map(Double.init)
            let square = values.reduce(0) { $0 + $1 * $1 } / Double(size)
            let scale = 1 / (square + Double(norm.epsilon)).squareRoot()
            for index in 0..<size {
                mean[index] += values[index] * scale * Double(weight[index]) / Double(tokens.count)
            }
        }
        return mean
    }

    @Test("a mean is that of the normed hidden states of all positions", arguments: [1, 2, 90])
    func reference(count: Int) throws {
        let model = TestModel(.f32)
        let tokens = model.tokens(count)
        let expected = try reference(model, tokens)
        let got = try mean(try model.chain(), tokens, chunk: 256)
        #expect(got.count == expected.count)
        for (got, expected) in zip(got, expected) { #expect(abs(Double(got) - expected) < 1e-5) }
    }

    @Test(
        "its bits do not depend on shards, chunks, threads or instruction sets", arguments: [ElementType.q8_0, .q4_K])
    func ways(type: ElementType) throws {
        let model = TestModel(type)
        let tokens = model.tokens(100)
        let expected = try mean(try model.chain(), tokens, chunk: 256)
        #expect(expected.allSatisfy { $0.isFinite })
        for way in OneAnswerTests.ways + [OneAnswerTests.Way(chunk: 1), OneAnswerTests.Way(shards: 2, chunk: 7)] {
            let chain = try model.chain(shards: way.shards, device: way.device)
            #expect(bitDifferences(try mean(chain, tokens, chunk: way.chunk), expected) == 0, "\(way)")
        }
    }

    @Test("nor on where weights are")
    func streamed() throws {
        let model = TestModel(.q8_0)
        let tokens = model.tokens(60)
        let stored = try StoredTestModel(model)
        let expected = try mean(try model.chain(), tokens, chunk: 60)
        for pinned in [0, 60_000] {
            let chain = try stored.chain(pinnedBytesMax: pinned)
            #expect(bitDifferences(try mean(chain, tokens, chunk: 7), expected) == 0)
        }
    }

    @Test("nor on what else is in its steps, which it does not change either")
    func amongOthers() throws {
        let model = TestModel(.q8_0)
        let (one, two, other) = (model.tokens(50), model.tokens(33, seed: 2), model.tokens(40, seed: 3))
        let alone = try mean(try model.chain(), one, chunk: 256)
        var logits: [Float] = []
        try model.chain().logits(of: other) { logits += $0 }
        let chain = try model.chain(cacheBlockCount: 8)
        let ids = (1...3).map { SequenceID(UInt64($0)) }
        let result = try chain.run(
            Step(
                id: 1,
                operations: zip(ids, [one, two, other]).map { .begin($0, SequenceStart(tokens: $1)) },
                rows: rows(ids[0], one)
                    + other.enumerated().map {
                        StepRow(sequence: ids[2], position: $0, token: $1, output: .logits)
                    } + rows(ids[1], two)))
        #expect(bitDifferences(try #require(mean(result, of: ids[0])), alone) == 0)
        #expect(bitDifferences(try #require(mean(result, of: ids[1])), try mean(try model.chain(), two, chunk: 9)) == 0)
        #expect(bitDifferences(result.logits, logits) == 0)
    }

    @Test("rows that do not stand for every position from the first on are refused")
    func gaps() throws {
        let model = TestModel(.f16)
        let tokens = model.tokens(20)
        let chain = try model.chain(cacheBlockCount: 4)
        let other = SequenceID(2)
        let start = SequenceStart(tokens: tokens, prefix: SharedPrefix(sequence: id, length: 10))
        _ = try chain.run(
            Step(id: 1, operations: [.begin(id, SequenceStart(tokens: tokens))], rows: rows(id, tokens)))
        let error = #expect(throws: InferenceError.self) {
            try chain.run(
                Step(id: 2, operations: [.begin(other, start)], rows: Array(rows(other, tokens)[10...])))
        }
        #expect(error?.description.contains("expected position 0 next") == true)
        // Taken in already.
        #expect(throws: InferenceError.self) { try chain.run(Step(id: 3, rows: Array(rows(id, tokens)[19...]))) }
    }

    @Test("a model that overflows gives a failure, not a number")
    func overflow() throws {
        let model = TestModel(.f32)
        model.source.set("output_norm.weight", element: 3, to: .infinity)
        let tokens = model.tokens(3)
        let result = try model.chain().run(
            Step(id: 1, operations: [.begin(id, SequenceStart(tokens: tokens))], rows: rows(id, tokens)))
        guard case .failed(let message) = try #require(result.sequences.first).outcome else {
            Issue.record("expected a failure, got \(result.sequences)")
            return
        }
        #expect(message.contains("not finite"))
    }
}
