import Devices
import Foundation
import Sharding
import Tensors
import Testing

@testable import Inference

@Suite("Experts that are read when rows go to them")
struct StreamedExpertsTests {
    @Test("logits are those of resident weights, however little there is for experts", arguments: [1, 3])
    func everyBudget(threads: Int) throws {
        for type in [ElementType.q4_K, .q8_0, .f32, .iq2_s] {
            let stored = try StoredTestModel(TestModel(type, sizes: .mixture(for: type)))
            let tokens = stored.model.tokens(19)
            let expected = try stored.model.chain(contextLength: 256).allLogits(tokens, chunk: 19)
            let allBytes = try stored.plan(pinnedBytesMax: .max).pinnedBytes
            for part in 0...8 {
                let chain = try stored.chain(
                    pinnedBytesMax: allBytes * part / 8, device: CPUDeviceOptions(threads: threads))
                let weights = try #require(chain.streamed)
                let held = weights.plan.pinnedBytes + (weights.expertStatistics?.cacheBytes ?? 0)
                #expect(held <= allBytes * part / 8)
                for chunk in [1, 7, 19] {
                    let got = try chain.allLogits(tokens, chunk: chunk)
                    #expect(bitDifferences(got, expected) == 0, "\(type), part \(part), \(chunk) rows a step")
                }
            }
        }
    }

    @Test("what every row needs stays before any expert does; with everything, nothing is read")
    func order() throws {
        let stored = try StoredTestModel(TestModel(.q4_K, sizes: .mixture(for: .q4_K)))
        let all = try stored.plan(pinnedBytesMax: .max)
        #expect(all.onDemand.isEmpty && all.everyStep.isEmpty && all.streamedBytes == 0 && all.expertCacheBytes == 0)
        let expertBytes = all.slices.reduce(0) {
            all.matrices[$1.matrix].mixture == nil ? $0 : $0 + $1.packedBytes(all.matrices)
        }
        let denseBytes = all.pinnedBytes - expertBytes
        let dense = try stored.plan(pinnedBytesMax: denseBytes)
        #expect(dense.pinnedBytes == denseBytes && dense.everyStep.isEmpty && dense.expertCacheBytes == 0)
        let half = try stored.plan(pinnedBytesMax: denseBytes + expertBytes / 2)
        #expect(half.pinnedBytes == denseBytes && half.expertCacheBytes == expertBytes / 2)
        // Three of seven experts in each of two layers.
        let fileBytes = half.onDemand.reduce(0) { $0 + half.slices[$1].piece.byteCount }
        #expect(abs(half.streamedBytes - fileBytes * 3 / 7) <= half.onDemand.count)
    }

    @Test("a step reads only what its rows go to, and nothing twice that fits")
    func bytesRead() throws {
        let stored = try StoredTestModel(TestModel(.q8_0, sizes: .mixture(for: .q8_0)))
        let all = try stored.plan(pinnedBytesMax: .max)
        let expertBytes = all.slices.reduce(0) {
            all.matrices[$1.matrix].mixture == nil ? $0 : $0 + $1.packedBytes(all.matrices)
        }
        // Everything but one slice: whatever is used of late is there.
        let chain = try stored.chain(pinnedBytesMax: all.pinnedBytes - 1)
        let weights = try #require(chain.streamed)
        #expect(weights.plan.everyStep.isEmpty)
        let tokens = stored.model.tokens(1)
        var read: [Int] = []
        for _ in 0..<3 {
            let before = weights.statistics.usedBytes
            _ = try chain.allLogits(tokens, chunk: 1)
            read.append(weights.statistics.usedBytes - before)
        }
        // One row: at most three of seven experts in each layer.
        #expect(read[0] > 0 && read[0] <= expertBytes * 3 / 7)
        #expect(read[1] == 0 && read[2] == 0, "\(read)")
        let statistics = try #require(weights.expertStatistics)
        #expect(statistics.readBytes == read[0] && statistics.neededBytes == 3 * read[0])
        #expect(statistics.hitRate.map { abs($0 - 2.0 / 3) < 1e-9 } == true)
    }

    @Test("a file that is cut fails the step and names itself; steps go on when it is whole again")
    func truncated() throws {
        let stored = try StoredTestModel(TestModel(.q4_0, sizes: .mixture(for: .q4_0)))
        let expected = try stored.model.chain(contextLength: 256).allLogits([1, 2, 3], chunk: 3)
        let chain = try stored.chain(pinnedBytesMax: 0)
        #expect(try bitDifferences(chain.allLogits([1, 2, 3], chunk: 3), expected) == 0)
        let path = stored.folder.appending(path: "blk.1.ffn_up_exps.weight").path
        truncate(path, 100)
        let error = try #require(throws: InferenceError.self) { _ = try chain.allLogits([1, 2, 3], chunk: 3) }
        #expect(error.code == .weights)
        #expect(error.description.contains("blk.1.ffn_up_exps.weight"), "\(error)")
        #expect(throws: InferenceError.self) { _ = try chain.allLogits([1, 2, 3], chunk: 3) }
    }
}

@Suite("The cache of experts")
struct ExpertCacheTests {
    private final class Handle: DeviceMatrix {
        let outputCount = 1, inputCount = 1, bytes = 1
    }

    /// Uses slices for a step, and puts what is not there in.
    ///
    /// - Returns: those that were not there.
    private func use(_ cache: ExpertCache, _ slices: [Int]) -> [Int] {
        cache.beginStep()
        cache.begin(slices)
        let absent = slices.filter { cache.matrix($0) == nil }
        for slice in absent {
            if let room = cache.room(for: slice) { cache.keep(slice, as: Handle(), in: room) }
        }
        return absent
    }

    @Test("never above its bytes; each size gets places", arguments: 0..<30)
    func sizes(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        let sizes = (0..<40).map { _ in [100, 170, 4096].randomElement(using: &random)! }
        let total = sizes.reduce(0, +)
        for part in 0...10 {
            let cache = try ExpertCache(sliceBytes: sizes, byteCount: total * part / 10)
            #expect(cache.byteCount <= total * part / 10)
            for slice in sizes.indices { _ = use(cache, [slice]) }
            let here = sizes.indices.filter { cache.matrix($0) != nil }
            #expect(here.reduce(0) { $0 + sizes[$1] } <= cache.byteCount)
            if part == 10 { #expect(here.count == sizes.count) }
            if part >= 4 { #expect(Set(here.map { sizes[$0] }) == Set(sizes)) }
        }
    }

    @Test("rooms do not overlap")
    func rooms() throws {
        let cache = try ExpertCache(sliceBytes: [64, 64, 128, 128], byteCount: 384)
        cache.begin([0, 1, 2, 3])
        var ranges: [Range<UInt>] = []
        for slice in 0..<4 {
            let room = try #require(cache.room(for: slice))
            let start = UInt(bitPattern: room.bytes.baseAddress)
            #expect(room.bytes.count == [64, 64, 128, 128][slice])
            ranges.append(start..<start + UInt(room.bytes.count))
            cache.keep(slice, as: Handle(), in: room)
        }
        for (index, range) in ranges.enumerated() {
            #expect(ranges[(index + 1)...].allSatisfy { !$0.overlaps(range) })
        }
    }

    @Test("what is used often stays when others come once; what was used long ago goes")
    func policy() throws {
        let cache = try ExpertCache(sliceBytes: Array(repeating: 64, count: 100), byteCount: 3 * 64)
        for _ in 0..<10 { _ = use(cache, [0, 1]) }
        for other in 10..<40 { _ = use(cache, [other]) }
        #expect(use(cache, [0, 1]) == [])
        // Another pair is in use now for long enough.
        for _ in 0..<300 { _ = use(cache, [50, 51, 52]) }
        #expect(use(cache, [50, 51, 52]) == [])
        #expect(use(cache, [0]) == [0])
    }

    @Test("what the layer at hand needs does not go")
    func needed() throws {
        let cache = try ExpertCache(sliceBytes: Array(repeating: 64, count: 10), byteCount: 2 * 64)
        _ = use(cache, [0, 1])
        for _ in 0..<20 { _ = use(cache, [5]) }
        let here = [0, 1].filter { cache.matrix($0) != nil }
        cache.begin([0, 1, 5, 6])
        #expect(cache.room(for: 6) == nil)
        #expect(cache.matrix(5) != nil && here.allSatisfy { cache.matrix($0) != nil })
    }

    @Test("counts stay finite over a long time")
    func longTime() throws {
        let cache = try ExpertCache(sliceBytes: [64, 64, 64], byteCount: 64)
        for _ in 0..<30_000 { cache.beginStep() }
        #expect(use(cache, [0]) == [0] && use(cache, [0]) == [])
        for _ in 0..<30_000 { cache.beginStep() }
        #expect(use(cache, [1]) == [1] && use(cache, [1]) == [])
    }
}
