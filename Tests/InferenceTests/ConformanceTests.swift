import Devices
import Foundation
import Inference
import Sharding
import Testing

/// Small models of several families against results of another implementation.
@Suite("Conformance")
struct ConformanceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var path: String
        var reference: String
        /// Of max |x − reference| ÷ max |reference|, at the last position of each prompt.
        var tolerance: Float
        var activations: CPUDeviceOptions.Activations

        var testDescription: String { "\(path), \(activations.rawValue) activations" }
    }

    private struct Index: Decodable {
        struct Model: Decodable {
            struct File: Decodable {
                var path: String
                var maxRelTolerance: Float
            }
            var name: String
            var reference: String
            var files: [String: File]
        }
        struct Quantized: Decodable {
            var path: String
            var reference: String
        }
        var models: [Model]
        var quantized: [Quantized]
    }

    private struct Reference: Decodable {
        struct Prompt: Decodable {
            var ids: [TokenID]
            var lastLogits: [Float]
            var greedy: [TokenID]
            var greedyMinMargin: Float
        }
        var prompts: [Prompt]
    }

    static let families = ["llama", "mistral", "mistral-window", "mixtral", "qwen2", "qwen3", "qwen3moe"]

    static let cases: [Case] = {
        guard let index = try? Fixtures.read(Index.self, Fixtures.conformance.appending(path: "index.json"))
        else { return [] }
        let float = index.models.filter { families.contains($0.name) }.flatMap { model in
            model.files.values.map {
                Case(
                    path: $0.path, reference: model.reference, tolerance: $0.maxRelTolerance, activations: .int8)
            }
        }
        let quantized = index.quantized.flatMap { file in
            [
                Case(path: file.path, reference: file.reference, tolerance: 0.06, activations: .int8),
                Case(path: file.path, reference: file.reference, tolerance: 0.0005, activations: .float),
            ]
        }
        return (float + quantized).sorted { $0.path < $1.path }
    }()

    @Test("every family and block type is there")
    func caseCount() {
        // Six families in two formats, one in one; four block types with both kinds of activations.
        #expect(Self.cases.count == 21)
    }

    @Test("logits are within tolerance, continuations as far as margins tell", arguments: cases)
    func model(file: Case) throws {
        let reference = try Fixtures.read(
            Reference.self, Fixtures.conformance.appending(path: file.reference))
        let chain = try Fixtures.chain(
            Fixtures.conformance.appending(path: file.path), activations: file.activations)
        for prompt in reference.prompts {
            var last: [Float] = []
            try chain.logits(of: prompt.ids) { last = Array($0.suffix(chain.model.vocabularySize)) }
            let largest = prompt.lastLogits.map(abs).max() ?? 0
            let error = zip(last, prompt.lastLogits).map { abs($0 - $1) }.max() ?? .infinity
            #expect(last.count == prompt.lastLogits.count)
            #expect(error / largest <= file.tolerance, "\(prompt.ids.count) tokens: \(error / largest)")
            // Both of the two best logits may be off by the tolerance.
            if prompt.greedyMinMargin > 2 * file.tolerance * largest {
                #expect(try chain.greedy(prompt.ids, count: prompt.greedy.count) == prompt.greedy)
            }
        }
    }
}
