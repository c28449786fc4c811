import Tensors

extension ElementType {
    /// The types that kernels compute with.
    static let computed = allCases.filter { ![.q8_K, .i8, .i16, .i32, .i64, .f64].contains($0) }

    /// Fills one block with random weights of some tenths.
    func fillRandomly(_ block: UnsafeMutableRawBufferPointer, _ random: inout TestRandom) {
        switch self {
        case .f32: block.storeBytes(of: 0.3 * random.signed(), as: Float.self)
        case .f16: block.storeBytes(of: Float16(0.3 * random.signed()).bitPattern, as: UInt16.self)
        case .bf16: block.storeBytes(of: UInt16((0.3 * random.signed()).bitPattern >> 16), as: UInt16.self)
        default:
            for index in block.indices { block[index] = UInt8(truncatingIfNeeded: random.next() >> 32) }
            for (offset, divisor) in scales {
                let scale = Float16((1.5 + 0.5 * random.signed()) * 0.1 / divisor)
                block.storeBytes(of: scale.bitPattern, toByteOffset: offset, as: UInt16.self)
            }
            if self == .mxfp4 { block[0] = 120 + block[0] % 3 }
            if self == .iq1_m { Self.spreadScale(Float16(0.01), in: block) }
        }
    }

    /// Byte offsets of a block's f16 scales, and the weight that a scale of 1 allows (for minima: half the range).
    private var scales: [(offset: Int, divisor: Float)] {
        switch self {
        case .q4_0: [(0, 8)]
        case .q4_1: [(0, 15), (2, -2)]
        case .q5_0: [(0, 16)]
        case .q5_1: [(0, 31), (2, -2)]
        case .q8_0, .iq4_nl: [(0, 127)]
        case .q2_K: [(80, 15 * 3), (82, 15 * 2)]
        case .q3_K: [(108, 31 * 4)]
        case .q4_K: [(0, 63 * 15), (2, 63 * 2)]
        case .q5_K: [(0, 63 * 31), (2, 63 * 2)]
        case .q6_K: [(208, 127 * 32)]
        case .iq4_xs: [(0, 31 * 127)]
        case .iq1_s: [(0, 15)]
        case .iq2_xxs, .iq2_xs, .iq2_s: [(0, 15.5 * 0.25 * 43)]
        case .iq3_xxs: [(0, 15.5 * 0.5 * 62)]
        case .iq3_s: [(0, 31 * 15)]
        case .tq1_0: [(52, 1)]
        case .tq2_0: [(64, 1)]
        case .iq1_m, .mxfp4: []
        case .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64, .q8_K:
            preconditionFailure("no kernels compute with blocks of \(name)")
        }
    }

    /// IQ1_M keeps its f16 scale in the high nibbles of four 16-bit numbers.
    private static func spreadScale(_ scale: Float16, in block: UnsafeMutableRawBufferPointer) {
        for part in 0..<4 {
            let nibble = UInt8(truncatingIfNeeded: scale.bitPattern >> (4 * part)) & 15
            block[49 + 2 * part] = block[49 + 2 * part] & 15 | nibble << 4
        }
    }
}
