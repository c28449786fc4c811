import Devices
import Foundation
import ModelFiles
import Sharding
import Tensors
import Testing

@testable import Inference

@Suite("Weights of which a part is read from disk")
struct StreamedWeightsTests {
    @Test("logits are those of resident weights, whatever stays", arguments: ElementType.computed)
    func everyType(type: ElementType) throws {
        let stored = try StoredTestModel(TestModel(type))
        let tokens = stored.model.tokens(19)
        let expected = try stored.model.chain(contextLength: 256).allLogits(tokens, chunk: 19)
        let allBytes = try stored.plan(pinnedBytesMax: .max).pinnedBytes
        for pinnedBytesMax in [0, allBytes / 3, allBytes * 2 / 3, allBytes] {
            for threads in [1, 3] {
                let chain = try stored.chain(
                    pinnedBytesMax: pinnedBytesMax, device: CPUDeviceOptions(threads: threads))
                #expect(try #require(chain.streamed).plan.pinnedBytes <= pinnedBytesMax)
                for chunk in [1, 7, 19] {
                    let got = try chain.allLogits(tokens, chunk: chunk)
                    #expect(
                        bitDifferences(got, expected) == 0,
                        "\(pinnedBytesMax) of \(allBytes) bytes, \(threads) threads, \(chunk) rows a step")
                }
            }
        }
    }

    @Test("every instruction set agrees", arguments: CPUDeviceOptions.availableKernels)
    func everyInstructionSet(kernels: String) throws {
        for type in [ElementType.q4_K, .q6_K, .q8_0, .bf16, .iq1_s] {
            let stored = try StoredTestModel(TestModel(type))
            let tokens = stored.model.tokens(11)
            let expected = try stored.model.chain(contextLength: 256).allLogits(tokens, chunk: 11)
            let chain = try stored.chain(pinnedBytesMax: 0, device: CPUDeviceOptions(threads: 2, kernels: kernels))
            #expect(bitDifferences(try chain.allLogits(tokens, chunk: 11), expected) == 0, "\(type)")
        }
    }

    @Test("a step without an output reads no head; one with an output reads each streamed byte once")
    func bytesRead() throws {
        let stored = try StoredTestModel(TestModel(.q8_0))
        let chain = try stored.chain(pinnedBytesMax: 0)
        let weights = try #require(chain.streamed)
        let id = SequenceID(1)
        func step(_ position: Int, _ output: RowOutput) throws -> Int {
            let before = weights.statistics.usedBytes
            let operations =
                position == 0 ? [SequenceOperation.begin(id, SequenceStart(tokens: [1, 2, 3, 4]))] : []
            _ = try chain.run(
                Step(
                    id: UInt64(position + 1), operations: operations,
                    rows: [StepRow(sequence: id, position: position, token: TokenID(position + 1), output: output)]))
            return (weights.statistics.usedBytes) - before
        }
        let head = try #require(try stored.model.source.tensor("token_embd.weight")).bytes.count
        #expect(try step(0, .none) == weights.plan.streamedBytes - head)
        #expect(try step(1, .token) == weights.plan.streamedBytes)
        #expect(try step(2, .none) == weights.plan.streamedBytes - head)
        #expect(try step(3, .token) == weights.plan.streamedBytes)
    }

    @Test("a file that is cut while in use fails the step, names itself, and no token comes of it")
    func truncated() throws {
        let stored = try StoredTestModel(TestModel(.q4_0))
        let chain = try stored.chain(pinnedBytesMax: 0)
        _ = try chain.greedy([1, 2, 3], count: 2)
        truncate(stored.folder.appending(path: "blk.1.ffn_up.weight").path, 100)
        let error = try #require(throws: InferenceError.self) { _ = try chain.greedy([1, 2, 3], count: 2) }
        #expect(error.code == .weights)
        #expect(error.description.contains("blk.1.ffn_up.weight"), "\(error)")
    }
}
