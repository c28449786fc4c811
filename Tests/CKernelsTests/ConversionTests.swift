import CKernels
import Testing

@Suite("Half precision")
struct ConversionTests {
    static let allHalves = Array(UInt16.min...UInt16.max)

    @Test("all halves widen to their values and narrow back", arguments: Table.all)
    func halves(table: Table) {
        var wide = [Float](repeating: 0, count: 65536)
        table.call.f32_from_f16(Self.allHalves, 65536, &wide)
        var back = [UInt16](repeating: 0, count: 65536)
        table.call.f16_from_f32(wide, 65536, &back)
        for half in Self.allHalves {
            let value = shard_f32_from_f16(half)
            let expected = exactHalf(half)
            #expect(value.bitPattern == expected.bitPattern || (value.isNaN && expected.isNaN))
            #expect(value.bitPattern == wide[Int(half)].bitPattern)
            #expect(back[Int(half)] == (value.isNaN ? half | 0x200 : half))
        }
    }

    @Test("all brain floats widen to their values and narrow back", arguments: Table.all)
    func brains(table: Table) {
        var wide = [Float](repeating: 0, count: 65536)
        table.call.f32_from_bf16(Self.allHalves, 65536, &wide)
        var back = [UInt16](repeating: 0, count: 65536)
        table.call.bf16_from_f32(wide, 65536, &back)
        for half in Self.allHalves {
            #expect(wide[Int(half)].bitPattern == UInt32(half) << 16)
            #expect(back[Int(half)] == (wide[Int(half)].isNaN ? half | 0x40 : half))
        }
    }

    @Test("narrowing rounds to nearest even", arguments: Table.all)
    func rounding(table: Table) {
        // Between each two neighbours: just below, at, and just above the middle.
        var x: [Float] = []
        var expected: [UInt16] = []
        for half in UInt16(0)..<0x7bff {
            let low = exactHalf(half)
            let middle = low + (exactHalf(half + 1) - low) / 2
            x += [middle.nextDown, middle, middle.nextUp, -middle]
            expected += [half, half + half % 2, half + 1, (half + half % 2) | 0x8000]
        }
        x += [65519, 65520, .infinity, -.infinity, 0x1p-149]
        expected += [0x7bff, 0x7c00, 0x7c00, 0xfc00, 0]
        var output = [UInt16](repeating: 0, count: x.count)
        table.call.f16_from_f32(x, x.count, &output)
        #expect(output == expected)
        #expect(x.map(shard_f16_from_f32) == expected)
    }

    @Test("every table narrows as scalar does", arguments: Table.vector)
    func equalsScalar(table: Table) {
        var random = Random(seed: 41)
        let x = (0..<100_003).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
        for narrow in [\shard_kernels.f16_from_f32, \shard_kernels.bf16_from_f32] {
            var ours = [UInt16](repeating: 0, count: x.count)
            var theirs = ours
            table.call[keyPath: narrow](x, x.count, &ours)
            Table.scalar.call[keyPath: narrow](x, x.count, &theirs)
            #expect(ours == theirs)
        }
    }

    /// By its definition, in doubles.
    private func exactHalf(_ bits: UInt16) -> Float {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 31)
        let mantissa = Double(bits & 1023)
        switch exponent {
        case 0: return Float(sign * mantissa * 0x1p-24)
        case 31: return mantissa == 0 ? Float(sign * .infinity) : .nan
        default: return Float(sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + mantissa / 1024))
        }
    }
}
