import Devices
import Sharding
import Testing

@testable import Inference

@Suite("KV cache")
struct KVCacheTests {
    private let device = RecordingDevice()
    private let first = SequenceID(1)
    private let second = SequenceID(2)

    private func makeCache(_ blockCount: Int) throws -> KVCache {
        let shape = CacheShape(keyValueHeadCount: 1, headDim: 8, elementType: .f32)
        return try KVCache(shapes: [shape, shape], blockCount: blockCount, device: device)
    }

    @Test("blocks are taken as positions are written, and come back")
    func blocks() throws {
        let cache = try makeCache(4)
        try cache.begin(first)
        #expect(cache.freeBlockCount == 4)
        try cache.prepareWrite(first, positions: 0..<64)
        #expect(cache.freeBlockCount == 3)
        try cache.prepareWrite(first, positions: 64..<65)
        #expect(cache.freeBlockCount == 2)
        #expect(cache.length(of: first) == 65)
        try cache.truncate(first, to: 64)
        #expect(cache.freeBlockCount == 3)
        cache.free(first)
        #expect(cache.freeBlockCount == 4)
        #expect(cache.length(of: first) == nil)
    }

    @Test("a full cache is an error with its size, and freeing makes room")
    func full() throws {
        let cache = try makeCache(2)
        try cache.begin(first)
        try cache.begin(second)
        try cache.prepareWrite(first, positions: 0..<100)
        let error = try #require(throws: InferenceError.self) {
            try cache.prepareWrite(second, positions: 0..<1)
        }
        #expect(error.code == .cacheFull)
        #expect(error.description == "sequence 2: all 2 cache blocks of 64 positions are in use")
        cache.free(first)
        try cache.prepareWrite(second, positions: 0..<1)
    }

    @Test("a fork shares blocks until one of the two writes")
    func copyOnWrite() throws {
        let cache = try makeCache(4)
        try cache.begin(first)
        try cache.prepareWrite(first, positions: 0..<100)
        try cache.fork(first, to: second, length: 90)
        #expect(cache.freeBlockCount == 2)
        #expect(cache.blocks(of: second) == cache.blocks(of: first))
        try cache.prepareWrite(second, positions: 90..<91)
        #expect(cache.freeBlockCount == 1)
        #expect(cache.blocks(of: second)[0] == cache.blocks(of: first)[0])
        #expect(cache.blocks(of: second)[1] != cache.blocks(of: first)[1])
        // Both layers copied the one block.
        #expect(device.operations.filter { $0.hasPrefix("copy block") }.count == 2)
        try cache.prepareWrite(first, positions: 100..<101)
        #expect(cache.freeBlockCount == 1)
        cache.free(first)
        cache.free(second)
        #expect(cache.freeBlockCount == 4)
    }

    @Test("holes, unknown sequences and repeated beginnings are refused")
    func refusals() throws {
        let cache = try makeCache(4)
        try cache.begin(first)
        try cache.prepareWrite(first, positions: 0..<10)
        #expect(throws: InferenceError.self) { try cache.begin(first) }
        #expect(throws: InferenceError.self) { try cache.prepareWrite(first, positions: 11..<12) }
        #expect(throws: InferenceError.self) { try cache.prepareWrite(second, positions: 0..<1) }
        #expect(throws: InferenceError.self) { try cache.truncate(first, to: 11) }
        #expect(throws: InferenceError.self) { try cache.truncate(first, to: -1) }
        #expect(throws: InferenceError.self) { try cache.fork(first, to: second, length: 11) }
        #expect(throws: InferenceError.self) { try cache.fork(second, to: first, length: 0) }
        try cache.prepareWrite(first, positions: 9..<10)
        #expect(cache.length(of: first) == 10)
    }
}
