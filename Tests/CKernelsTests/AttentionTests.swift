import CKernels
import Foundation
import Testing

@Suite("Attention")
struct AttentionTests {
    static let headDims = [24, 32, 40, 64, 80, 128]

    @Test("every table equals scalar bit for bit", arguments: Table.vector, headDims)
    func equalsScalar(table: Table, headDim: Int) {
        for type in [SHARD_TYPE_F32, SHARD_TYPE_F16, SHARD_TYPE_Q8_0] {
            let ours = Cache(table, UInt32(type), headDim: headDim, positions: 1100)
            let scalar = Cache(.scalar, UInt32(type), headDim: headDim, positions: 1100)
            #expect(ours.bytes == scalar.bytes)
            for heads in [1, 2, 3, 4, 7] {
                for visible in Self.ranges {
                    let queries = Self.queries(heads, headDim)
                    #expect(
                        firstDifference(ours.attend(queries, visible), scalar.attend(queries, visible)) == nil,
                        "\(heads) heads, positions \(visible)")
                }
            }
        }
    }

    /// Windows that start inside groups and tiles, ends anywhere, one to three spans.
    static let ranges = [0..<1, 0..<17, 0..<64, 3..<64, 70..<71, 100..<400, 0..<513, 509..<515, 530..<1100, 0..<1100]

    static func queries(_ heads: Int, _ headDim: Int) -> [Float] {
        var random = Random(seed: UInt64(71 + heads))
        return random.floats(heads * headDim, 3)
    }

    @Test("results are those of softmax in doubles", arguments: Table.all, headDims)
    func isSoftmax(table: Table, headDim: Int) {
        let cache = Cache(table, UInt32(SHARD_TYPE_F32), headDim: headDim, positions: 1100)
        let queries = Self.queries(2, headDim)
        for visible in Self.ranges {
            let output = cache.attend(queries, visible)
            for h in 0..<2 {
                let scores = visible.map { p in
                    (0..<headDim).reduce(0.0) { $0 + Double(queries[h * headDim + $1]) * Double(cache.keys[p][$1]) }
                        * 0.125
                }
                let weights = scores.map { exp($0 - scores.max()!) }
                for d in 0..<headDim {
                    let sum = zip(visible, weights).reduce(0.0) { $0 + $1.1 * Double(cache.values[$1.0][d]) }
                    #expect(abs(Double(output[h * headDim + d]) - sum / weights.reduce(0, +)) < 1e-5)
                }
            }
        }
    }

    @Test("keys and values of 8 bits give what is near softmax", arguments: Table.all, headDims)
    func nearSoftmax(table: Table, headDim: Int) {
        let full = Cache(table, UInt32(SHARD_TYPE_F32), headDim: headDim, positions: 700)
        let small = Cache(table, UInt32(SHARD_TYPE_Q8_0), headDim: headDim, positions: 700)
        #expect(small.bytes.count < full.bytes.count * 3 / 10)
        let queries = Self.queries(2, headDim)
        for (a, b) in zip(full.attend(queries, 3..<700), small.attend(queries, 3..<700)) { #expect(abs(a - b) < 0.02) }
    }

    @Test("a head's result does not depend on the heads beside it", arguments: Table.all)
    func independent(table: Table) {
        let cache = Cache(table, UInt32(SHARD_TYPE_F16), headDim: 40, positions: 700)
        let queries = Self.queries(7, 40)
        let together = cache.attend(queries, 5..<700)
        for h in 0..<7 {
            let alone = cache.attend(Array(queries[h * 40..<(h + 1) * 40]), 5..<700)
            #expect(firstDifference(alone, Array(together[h * 40..<(h + 1) * 40])) == nil)
        }
    }

    @Test("what lies in the cache beyond the visible positions does not matter", arguments: Table.all)
    func masked(table: Table) {
        let clean = Cache(table, UInt32(SHARD_TYPE_F32), headDim: 32, positions: 200)
        let dirty = Cache(table, UInt32(SHARD_TYPE_F32), headDim: 32, positions: 200, filler: 0xff)
        let queries = Self.queries(3, 32)
        #expect(firstDifference(clean.attend(queries, 66..<200), dirty.attend(queries, 66..<200)) == nil)
    }

    @Test("a non-finite key or query gives a result that is not finite", arguments: Table.all)
    func nonFinite(table: Table) {
        let cache = Cache(table, UInt32(SHARD_TYPE_F32), headDim: 32, positions: 20)
        for type in [SHARD_TYPE_F32, SHARD_TYPE_F16, SHARD_TYPE_Q8_0] {
            let broken = Cache(table, UInt32(type), headDim: 32, positions: 20, brokenPosition: 7)
            let output = broken.attend(Self.queries(1, 32), 0..<20)
            #expect(!table.call.all_finite(output, output.count), "cache type \(type)")
        }
        for value: Float in [.nan, .infinity] {
            var queries = Self.queries(1, 32)
            queries[3] = value
            let output = cache.attend(queries, 0..<20)
            #expect(!table.call.all_finite(output, output.count))
        }
    }
}

/// A cache of one key/value head, second in its blocks, filled with seeded values.
private struct Cache {
    let table: Table
    let type: UInt32
    let headDim: Int
    var keys: [[Float]] = []
    var values: [[Float]] = []
    var bytes: [UInt8]

    private var area: Int { shard_cache_head_bytes(type, headDim) }

    init(_ table: Table, _ type: UInt32, headDim: Int, positions: Int, filler: UInt8 = 0, brokenPosition: Int? = nil) {
        self.table = table
        self.type = type
        self.headDim = headDim
        bytes = [UInt8](repeating: filler, count: (positions + 63) / 64 * 2 * shard_cache_head_bytes(type, headDim))
        var random = Random(seed: 72)
        for position in 0..<positions {
            var key = random.floats(headDim, 2)
            if position == brokenPosition { key[5] = .infinity }
            let value = random.floats(headDim, 2)
            let area = area
            bytes.withUnsafeMutableBytes {
                let block = $0.baseAddress! + position / 64 * 2 * area
                table.call.store(key, value, position, type, headDim, block + area)
            }
            keys.append(key)
            values.append(value)
        }
    }

    /// [heads][headDim]
    func attend(_ queries: [Float], _ visible: Range<Int>) -> [Float] {
        let heads = queries.count / headDim
        let stride = headDim + 2
        let spanSize = Int(SHARD_SPAN_POSITIONS)
        let spans = visible.lowerBound / spanSize..<(visible.upperBound - 1) / spanSize + 1
        var partials = [Float](repeating: .nan, count: spans.count * heads * stride)
        var output = [Float](repeating: 0, count: queries.count)
        bytes.withUnsafeBytes { bytes in
            let blocks: [UnsafeRawPointer?] = (0..<bytes.count / (2 * area)).map { bytes.baseAddress! + $0 * 2 * area }
            queries.withUnsafeBufferPointer { queries in
                blocks.withUnsafeBufferPointer { blocks in
                    partials.withUnsafeMutableBufferPointer { partials in
                        for span in spans {
                            var attention = shard_attention(
                                queries: queries.baseAddress!, query_stride: headDim, query_count: heads,
                                blocks: blocks.baseAddress!, head_offset: area, cache_type: type, head_dim: headDim,
                                scale: 0.125, position_first: max(visible.lowerBound, span * spanSize),
                                position_end: min(visible.upperBound, (span + 1) * spanSize),
                                partials: partials.baseAddress! + (span - spans.lowerBound) * heads * stride,
                                partial_stride: stride)
                            table.call.attend(&attention)
                        }
                    }
                }
            }
        }
        partials.withUnsafeBufferPointer { partials in
            output.withUnsafeMutableBufferPointer { output in
                for h in 0..<heads {
                    table.call.merge(
                        partials.baseAddress! + h * stride, spans.count, heads * stride, headDim,
                        output.baseAddress! + h * headDim)
                }
            }
        }
        return output
    }
}
