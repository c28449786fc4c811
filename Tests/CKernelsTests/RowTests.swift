import CKernels
import Foundation
import Testing

@Suite("Rows: norms, sums, rotation, searches")
struct RowTests {
    static let counts = [1, 7, 16, 24, 31, 33, 72, 257]

    @Test("norms, sums and gates equal scalar bit for bit", arguments: Table.vector, counts)
    func equalsScalar(table: Table, count: Int) {
        var random = Random(seed: 61)
        for limit: Float in [0x1p-120, 1, 0x1p60] {
            let x = random.floats(count, limit)
            let y = random.floats(count, 8)
            let results = [table, Table.scalar].map { table in
                var norm = [Float](repeating: 0, count: count)
                var sum = norm
                var gate = norm
                table.call.rms_norm(x, y, count, 1e-6, &norm)
                var scaled = norm
                table.call.add(x, y, count, &sum)
                table.call.add_scaled(x, 0.3, y, count, &scaled)
                table.call.silu_multiply(y, x, count, &gate)
                return norm + sum + scaled + gate
            }
            #expect(firstDifference(results[0], results[1]) == nil)
        }
    }

    @Test("a norm is x over its root mean square", arguments: Table.all, counts)
    func normIsRight(table: Table, count: Int) {
        var random = Random(seed: 62)
        let x = random.floats(count, 3)
        let weight = random.floats(count, 2)
        var output = [Float](repeating: 0, count: count)
        table.call.rms_norm(x, weight, count, 1e-5, &output)
        let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
        for i in 0..<count {
            let expected = Double(x[i]) / sqrt(mean + 1e-5) * Double(weight[i])
            #expect(abs(Double(output[i]) - expected) <= abs(expected) * 1e-6 + 1e-30)
        }
    }

    @Test("outputs may be inputs", arguments: Table.all)
    func inPlace(table: Table) {
        var random = Random(seed: 63)
        let x = random.floats(43, 3)
        let y = random.floats(43, 3)
        var apart = [Float](repeating: 0, count: 43)
        table.call.rms_norm(x, y, 43, 1e-5, &apart)
        var place = x
        place.withUnsafeMutableBufferPointer { table.call.rms_norm($0.baseAddress!, y, 43, 1e-5, $0.baseAddress!) }
        #expect(apart == place)
        table.call.add_scaled(x, 0.3, y, 43, &apart)
        #expect((0..<43).allSatisfy { apart[$0] == y[$0].addingProduct(x[$0], 0.3) })
        place = y
        place.withUnsafeMutableBufferPointer { table.call.add_scaled(x, 0.3, $0.baseAddress!, 43, $0.baseAddress!) }
        #expect(apart == place)
        table.call.silu_multiply(x, y, 43, &apart)
        place = y
        place.withUnsafeMutableBufferPointer { table.call.silu_multiply(x, $0.baseAddress!, 43, $0.baseAddress!) }
        #expect(apart == place)
    }

    @Test("rotation turns pairs by their angle, and leaves the rest", arguments: Table.all, [0, 1] as [UInt32])
    func rotation(table: Table, pairs: UInt32) {
        var random = Random(seed: 64)
        for pairCount in [1, 8, 12, 16, 20, 64] {
            let dim = 2 * pairCount + 4
            let frequencies = (0..<pairCount).map { shard_pow(10000, -Float($0) / Float(pairCount)) }
            let positions: [UInt32] = [0, 1, 100_003]
            var cosines = [Float](repeating: 0, count: 3 * pairCount)
            var sines = cosines
            shard_rotary_table(positions, 3, frequencies, pairCount, 1, &cosines, &sines)
            for t in 0..<3 {
                let heads = random.floats(3 * dim, 2)
                let cosine = Array(cosines[t * pairCount..<(t + 1) * pairCount])
                let sine = Array(sines[t * pairCount..<(t + 1) * pairCount])
                var rotated = heads
                table.call.rotate(&rotated, 3, dim, pairCount, pairs, cosine, sine)
                for h in 0..<3 {
                    for i in 0..<pairCount {
                        let a = h * dim + (pairs == 0 ? 2 * i : i)
                        let b = a + (pairs == 0 ? 1 : pairCount)
                        #expect(rotated[a] == heads[a] * cosine[i] - heads[b] * sine[i])
                        #expect(rotated[b] == heads[b] * cosine[i] + heads[a] * sine[i])
                        let angle = Double(Float(positions[t]) * frequencies[i])
                        #expect(abs(Double(cosine[i]) - cos(angle)) < 1e-7 && abs(Double(sine[i]) - sin(angle)) < 1e-7)
                    }
                    #expect(
                        rotated[h * dim + 2 * pairCount..<(h + 1) * dim]
                            == heads[h * dim + 2 * pairCount..<(h + 1) * dim])
                }
            }
        }
    }

    @Test("the lowest of equal largest elements wins, NaN never", arguments: Table.all)
    func argmax(table: Table) {
        for count in Self.counts {
            for i in 0..<count {
                var x = [Float](repeating: -3, count: count)
                x[i] = 5
                x[count - 1] = 5
                #expect(table.call.argmax(x, count) == i)
                x[0] = .nan
                #expect(table.call.argmax(x, count) == (i == 0 ? count - 1 : i) || count == 1)
            }
        }
        #expect(table.call.argmax([-.infinity, -.infinity, .nan], 3) == 0)
        #expect(table.call.argmax([-0.0, 0], 2) == 0)
        #expect(table.call.argmax([-.infinity, -1], 2) == 1)
    }

    @Test("a single non-finite element is found wherever it stands", arguments: Table.all)
    func finite(table: Table) {
        for count in Self.counts {
            var x = [Float](repeating: .greatestFiniteMagnitude, count: count)
            #expect(table.call.all_finite(x, count))
            for i in 0..<count {
                for value: Float in [.infinity, -.infinity, .nan] {
                    x[i] = value
                    #expect(!table.call.all_finite(x, count))
                }
                x[i] = 0x1p-149
            }
        }
        #expect(table.call.all_finite([], 0))
    }
}
