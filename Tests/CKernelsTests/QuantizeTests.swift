import CKernels
import Testing

@Suite("Activations in 8 bits")
struct QuantizeTests {
    /// Scale and values of the only block.
    private func quantize(_ table: Table, _ x: [Float]) -> (scale: Float, values: [Int8]) {
        let kind = UInt32(x.count == 32 ? SHARD_ACTIVATION_Q8_32 : SHARD_ACTIVATION_Q8_256)
        var output = [UInt8](repeating: 0xaa, count: shard_activation_bytes(kind, x.count))
        table.call.quantize(kind, x, x.count, 1, &output)
        let scale = output.withUnsafeBytes { $0.loadUnaligned(as: Float.self) }
        return (scale, output.suffix(x.count).map { Int8(bitPattern: $0) })
    }

    @Test("values are nearest to even of x over the scale", arguments: Table.all, [32, 256])
    func rounding(table: Table, count: Int) {
        var x = [Float](repeating: 0, count: count)
        x[0] = 127
        x[1] = 0.5
        x[2] = 1.5
        x[3] = -2.5
        x[count - 1] = -127
        let (scale, values) = quantize(table, x)
        #expect(scale == 1)
        #expect(Array(values.prefix(4)) == [127, 0, 2, -2] && values.last == -127)
    }

    @Test("values stay in range whatever the largest element", arguments: Table.all)
    func range(table: Table) {
        var random = Random(seed: 21)
        for _ in 0..<2000 {
            let exponent = Float(sign: .plus, exponent: Int(random.next() % 240) - 119, significand: 1)
            let x = (0..<32).map { _ in random.float(1) * exponent }
            let (scale, values) = quantize(table, x)
            #expect(values.allSatisfy { $0 >= -127 })
            #expect(zip(x, values).allSatisfy { abs($0 - Float($1) * scale) <= scale * 0.501 || scale == 0 })
            #expect(scale.bitPattern == quantize(.scalar, x).scale.bitPattern)
        }
    }

    @Test("zero and denormal blocks are zeros", arguments: Table.all, [32, 256])
    func zeros(table: Table, count: Int) {
        for value: Float in [0, -0.0, 0x1p-140, 0x1p-121] {
            let (scale, values) = quantize(table, [Float](repeating: value, count: count))
            #expect(scale == 0 && values.allSatisfy { $0 == 0 })
        }
    }

    @Test("a block with a non-finite element makes its products NaN", arguments: Table.all, [32, 256])
    func nonFinite(table: Table, count: Int) {
        for value: Float in [.infinity, -.infinity, .nan] {
            var x = [Float](repeating: 1, count: count)
            x[count - 3] = value
            let (scale, values) = quantize(table, x)
            #expect(scale.isNaN && values.allSatisfy { $0 == 0 })
            let matrix = PackedMatrix(count == 32 ? .q8_0 : .q4_K, rows: 16, columns: count, seed: 22)
            #expect(matrix.multiply(table, matrix.activations(x, table)).prefix(16).allSatisfy { $0.isNaN })
        }
    }
}
