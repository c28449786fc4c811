import Devices
import Inference
import Sharding
import Tensors
import Testing

/// One answer with weights of every element type: each kernel of each instruction set on whole and partial panels.
@Suite("One answer for every element type")
struct OneAnswerTypeTests {
    static let promptCount = 19
    /// Rows of a step of the prompt; 19 is all of it.
    static let chunks = [1, 3, 8, 11, promptCount]
    /// Sequences that advance together, a token each, in one step after the other: some end with each step.
    static let groups = [16, 9, 8, 5, 2]

    @Test("logits are those of scalar kernels, one thread and one token at a time", arguments: ElementType.computed)
    func everyKernel(type: ElementType) throws {
        let model = TestModel(type, sizes: .flat(for: type))
        let prompt = model.tokens(Self.promptCount)
        let sequences = (0..<Self.groups[0]).map { index in
            model.tokens(Self.groups.count { index < $0 }, seed: 100 + UInt64(index))
        }
        let scalar = try model.chain(device: CPUDeviceOptions(kernels: "scalar"))
        let expectedPrompt = try logits(scalar, prompt, chunk: 1)
        let expected = try sequences.map { try logits(scalar, $0, chunk: 1) }
        #expect(expectedPrompt.count == prompt.count * model.spec.vocabularySize)
        #expect(expectedPrompt.allSatisfy { $0.isFinite } && Set(expectedPrompt).count > expectedPrompt.count / 2)

        for kernels in CPUDeviceOptions.availableKernels {
            for threads in 1...3 {
                let way = "\(kernels), \(threads) threads"
                let chain = try model.chain(device: CPUDeviceOptions(threads: threads, kernels: kernels))
                for chunk in Self.chunks {
                    // Two whole steps and one of what is left.
                    let tokens = Array(prompt.prefix(2 * chunk + 1))
                    let got = try logits(chain, tokens, chunk: chunk)
                    let wanted = expectedPrompt.prefix(tokens.count * model.spec.vocabularySize)
                    #expect(bitDifferences(got, wanted) == 0, "\(way), \(chunk) rows a step")
                }
                for (index, got) in try together(chain, sequences).enumerated() {
                    #expect(bitDifferences(got, expected[index]) == 0, "\(way), sequence \(index) among others")
                }
            }
        }
    }

    private func logits(_ chain: ShardChain, _ tokens: [TokenID], chunk: Int) throws -> [Float] {
        var all: [Float] = []
        try chain.logits(of: tokens, chunk: chunk) { all += $0 }
        return all
    }

    /// The logits of sequences that advance by one token a step, in the same steps while they last.
    private func together(_ chain: ShardChain, _ sequences: [[TokenID]]) throws -> [[Float]] {
        defer { chain.reset() }
        let size = chain.model.vocabularySize
        let ids = sequences.indices.map { SequenceID(UInt64($0)) }
        var operations = zip(ids, sequences).map { SequenceOperation.begin($0, SequenceStart(tokens: $1)) }
        var all = sequences.map { _ in [Float]() }
        for (position, group) in Self.groups.enumerated() {
            let rows = (0..<group).map {
                StepRow(sequence: ids[$0], position: position, token: sequences[$0][position], output: .logits)
            }
            let result = try chain.run(Step(id: UInt64(position + 1), operations: operations, rows: rows))
            operations = []
            for index in 0..<group { all[index] += result.logits[index * size..<(index + 1) * size] }
        }
        return all
    }
}
