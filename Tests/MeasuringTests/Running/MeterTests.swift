import Devices
import Foundation
import Inference
import ModelFiles
import Models
import Sharding
import Testing

@testable import Measuring

@Suite("Timing of tests")
struct MeterTests {
    private let tests = [
        BenchmarkTest(.prompt, tokenCount: 40), BenchmarkTest(.prompt, tokenCount: 20, depth: 70),
        BenchmarkTest(.generate, tokenCount: 3), BenchmarkTest(.generate, tokenCount: 5, depth: 70, sequenceCount: 3),
    ]

    private func chain(rowsMax: Int = 32) throws -> ShardChain {
        let file = try ModelFile.open(Fixtures.root.appending(path: "Models/demo/demo-q8_0.gguf").path)
        let spec = try ModelSpec(describing: file)
        let positions = ChainMeter.cachePositions(of: tests, rowsMax: rowsMax)
        return try ShardChain(
            model: spec, source: file, device: CPUDevice(CPUDeviceOptions()),
            options: ShardChain.Options(
                shards: [0..<spec.layers.count], rowsMax: rowsMax, contextLength: positions))
    }

    @Test("all tests fit the cache that they ask for, in any order and again and again")
    func repeats() throws {
        let meter = ChainMeter(try chain(), tests: tests)
        try meter.prime()
        for index in [0, 1, 2, 3, 3, 2, 1, 0, 1, 3] {
            #expect(try meter.measure(index) > 0)
        }
    }

    @Test("after a run, a test's sequences stand at its depth again")
    func truncates() throws {
        let chain = try chain()
        let meter = ChainMeter(chain, tests: tests)
        let cache = try #require(chain.runners[0]).cache
        #expect(try meter.measure(3) > 0)
        let used = cache.blockCount - cache.freeBlockCount
        // 70 positions take 2 blocks.
        #expect(used == 3 * 2)
        #expect(try meter.measure(0) > 0)
        #expect(try meter.measure(3) > 0)
        #expect(cache.blockCount - cache.freeBlockCount == used)
    }

    @Test("tokens are the same in each run, and within the vocabulary")
    func tokens() {
        let tokens = BenchmarkTokens.tokens(0..<1000, sequence: 3, vocabularySize: 50)
        #expect(tokens == BenchmarkTokens.tokens(0..<1000, sequence: 3, vocabularySize: 50))
        #expect(tokens != BenchmarkTokens.tokens(0..<1000, sequence: 4, vocabularySize: 50))
        #expect(Set(tokens) == Set(0..<50))
    }

    @Test("through an engine, the same tests are timed from requests to tokens")
    func engine() async throws {
        // Long enough that sequences meet, however their prompts follow each other.
        let tests = [
            BenchmarkTest(.prompt, tokenCount: 40), BenchmarkTest(.generate, tokenCount: 3),
            BenchmarkTest(.generate, tokenCount: 200, depth: 70, sequenceCount: 3),
        ]
        let length = tests.map(EngineMeter.positions).max() ?? 0
        let engine = try await LocalEngine(LocalEngine.Options(name: "demo", sequencesMax: 3)) {
            () throws(InferenceError) in
            do {
                let file = try ModelFile.open(Fixtures.root.appending(path: "Models/demo/demo-q8_0.gguf").path)
                let spec = try ModelSpec(describing: file)
                return try ShardChain(
                    model: spec, source: file, device: CPUDevice(CPUDeviceOptions()),
                    options: ShardChain.Options(
                        shards: [0..<spec.layers.count],
                        cacheBlockCount: 3 * KVCache.blocksNeeded(positions: length), contextLength: length))
            } catch {
                throw InferenceError(.device, place: "test", "no chain", cause: error)
            }
        }
        let meter = EngineMeter(engine)
        try await meter.prime(rowsMax: 32)
        for test in tests { #expect(try await meter.measure(test) > 0) }
    }

    @Test("only the time counts in which all sequences generate")
    func window() throws {
        let window = try #require(DecodeWindow(arrivals: [[1, 2, 3, 4], [2.5, 3.5, 4.5]]))
        #expect(window.seconds == 1.5)
        #expect(window.tokenCount == 3)
        // Never all at it: from the first token to the last, without the first.
        let whole = try #require(DecodeWindow(arrivals: [[1, 2], [3, 5]]))
        #expect(whole.seconds == 4 && whole.tokenCount == 3)
        #expect(DecodeWindow(arrivals: [[1], [1]]) == nil)
        #expect(DecodeWindow(arrivals: [[1, 2], []]) == nil)
        #expect(DecodeWindow(arrivals: []) == nil)
    }

    @Test("the peak of memory is known, and at least what is in use")
    func peak() throws {
        PeakMemory.reset()
        let peak = try #require(PeakMemory.bytes())
        #expect(peak > 1 << 20)
        #expect(PeakMemory.bytes(process: -1) == nil)
    }
}
