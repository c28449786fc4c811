import Foundation
import ModelFiles
import Models
import Testing

@testable import Measuring

@Suite("Work of a model")
struct ModelWorkTests {
    private func work(_ path: String) throws -> ModelWork {
        let file = try ModelFile.open(Fixtures.root.appending(path: path).path)
        return ModelWork(of: file, as: try ModelSpec(describing: file), cacheType: .f16)
    }

    @Test("a generated token reads every weight once, and its positions' keys and values")
    func generation() throws {
        let file = try ModelFile.open(Fixtures.root.appending(path: "Models/demo/demo-q8_0.gguf").path)
        let spec = try ModelSpec(describing: file)
        let work = try work("Models/demo/demo-q8_0.gguf")
        let weights = ModelParts(of: file, as: spec)
        let weightBytes = ModelParts.weightBytes(weights.layers.flatMap { $0 } + weights.head)
        // 8 layers, 2 heads of 32 for keys and for values, 2 bytes each.
        let positionBytes = 8 * 2 * 2 * 32 * 2
        let embeddingBytes = 256 / 32 * 34
        let four = work.work(of: BenchmarkTest(.generate, tokenCount: 4, depth: 100), rowsMax: 256)
        let positions = 101 + 102 + 103 + 104
        #expect(four.bytes == Double(4 * (weightBytes + embeddingBytes) + positions * positionBytes))
        #expect(four.floatOperations == 0)
        // Several sequences share the weights of a step, not their keys and values.
        let two = work.work(of: BenchmarkTest(.generate, tokenCount: 4, depth: 100, sequenceCount: 2), rowsMax: 256)
        #expect(two.bytes == Double(4 * (weightBytes + 2 * embeddingBytes) + 2 * positions * positionBytes))
        #expect(two.integerOperations == 2 * four.integerOperations)
    }

    @Test("a prompt reads the weights once a step, and needs the head once")
    func prompt() throws {
        let work = try work("Models/demo/demo-q8_0.gguf")
        let one = work.work(of: BenchmarkTest(.prompt, tokenCount: 256), rowsMax: 256)
        let two = work.work(of: BenchmarkTest(.prompt, tokenCount: 512), rowsMax: 256)
        #expect(
            one.integerOperations
                == 2 * (256 * Double(work.layers.quantizedCount) + Double(work.head.quantizedCount)))
        #expect(two.integerOperations > 1.9 * one.integerOperations)
        #expect(two.bytes - one.bytes >= Double(work.layers.bytes))
    }

    @Test("weights of F16 count for f32 products, those of Q8_0 for integers")
    func types() throws {
        let test = BenchmarkTest(.prompt, tokenCount: 8)
        let floats = try work("Models/demo/demo-f16.gguf").work(of: test, rowsMax: 256)
        let integers = try work("Models/demo/demo-q8_0.gguf").work(of: test, rowsMax: 256)
        #expect(floats.integerOperations == 0 && integers.floatOperations == 0)
        #expect(floats.floatOperations == integers.integerOperations)
    }

    @Test("a window bounds what a row reads")
    func window() {
        let cache = ModelWork.Cache(bytesPerPosition: 10, window: 4)
        #expect(cache.bytes(positions: 3) == 30)
        #expect(cache.bytes(positions: 100) == 40)
    }
}
