import CKernels

/// One instruction set's kernels, as an argument of tests.
struct Table: Sendable, CustomStringConvertible {
    let name: String
    // Safe: points to a constant of the C library.
    nonisolated(unsafe) let kernels: UnsafePointer<shard_kernels>

    var description: String { name }
    var call: shard_kernels { kernels.pointee }

    init?(_ name: String) {
        guard let kernels = shard_kernels_named(name) else { return nil }
        self.name = name
        self.kernels = kernels
    }

    /// The definition of every result.
    static let scalar = Table("scalar")!
    /// All that this machine can run.
    static let all = (0..<shard_kernels_count()).compactMap { Table(String(cString: shard_kernels_name($0))) }
    /// All but the definition itself.
    static let vector = all.filter { $0.name != "scalar" }
}

/// The element types that kernels compute with.
enum WeightType: UInt32, CaseIterable, Sendable {
    case f32 = 0
    case f16 = 1
    case bf16 = 30
    case q8_0 = 8
    case q4_0 = 2
    case q4_1 = 3
    case q5_0 = 6
    case q5_1 = 7
    case iq4_nl = 20
    case mxfp4 = 39
    case q2_K = 10
    case q3_K = 11
    case q4_K = 12
    case q5_K = 13
    case q6_K = 14
    case iq4_xs = 23
    case iq1_s = 19
    case iq1_m = 29
    case iq2_xxs = 16
    case iq2_xs = 17
    case iq2_s = 22
    case iq3_xxs = 18
    case iq3_s = 21
    case tq1_0 = 34
    case tq2_0 = 35

    var blockElements: Int {
        switch self {
        case .f32, .f16, .bf16: 1
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl, .mxfp4: 32
        default: 256
        }
    }

    /// Byte offsets of a block's f16 scales.
    var scaleOffsets: [Int] {
        switch self {
        case .f32, .bf16, .mxfp4, .iq1_m: []
        case .f16, .q8_0, .q4_0, .q5_0, .iq4_nl, .iq4_xs: [0]
        case .iq1_s, .iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s: [0]
        case .q4_1, .q5_1, .q4_K, .q5_K: [0, 2]
        case .q2_K: [80, 82]
        case .q3_K: [108]
        case .q6_K: [208]
        case .tq1_0: [52]
        case .tq2_0: [64]
        }
    }

    var isFloat: Bool { blockElements == 1 }
    /// Whether weights meet activations as they are.
    var meetsFloats: Bool { shard_activation_kind(rawValue) == UInt32(SHARD_ACTIVATION_F32) }

    func rowBytes(_ columns: Int) -> Int { shard_row_bytes(rawValue, columns) }
}

/// SplitMix64, so that a failing seed can be run again.
struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// In [−limit, limit); one in sixteen is zero, −0 or a denormal.
    mutating func float(_ limit: Float) -> Float {
        let bits = next()
        let value = (Float(bits & 0xff_ffff) / 0x80_0000 - 1) * limit
        switch bits >> 59 {
        case 0: return value.sign == .minus ? -0.0 : 0
        case 1: return value * 0x1p-135
        default: return value
        }
    }

    mutating func floats(_ count: Int, _ limit: Float) -> [Float] { (0..<count).map { _ in float(limit) } }

    /// Rows as a file stores them, with scales that are finite; seldom denormal or zero.
    mutating func rows(_ type: WeightType, rows: Int, columns: Int) -> [UInt8] {
        var bytes = (0..<rows * type.rowBytes(columns)).map { _ in UInt8(truncatingIfNeeded: next()) }
        let block = type.rowBytes(type.blockElements)
        for start in stride(from: 0, to: bytes.count, by: block) {
            switch type {
            case .f32:
                withUnsafeBytes(of: float(1)) { bytes.replaceSubrange(start..<start + 4, with: $0) }
            case .bf16:
                withUnsafeBytes(of: shard_bf16_from_f32(float(1))) {
                    bytes.replaceSubrange(start..<start + 2, with: $0)
                }
            case .mxfp4:  // exponents near 1
                bytes[start] = 120 + bytes[start] % 8
            case .iq1_m:  // the f16 scale lies in the high nibbles of 4 numbers
                let scale = shard_f16_from_f32(float(0.125))
                for part in 0..<4 {
                    let high = start + 49 + 2 * part
                    bytes[high] = bytes[high] & 0x0f | UInt8(scale >> (4 * part) & 15) << 4
                }
            default:
                for offset in type.scaleOffsets {
                    let scale = shard_f16_from_f32(float(0.125))
                    withUnsafeBytes(of: scale) { bytes.replaceSubrange(start + offset..<start + offset + 2, with: $0) }
                }
            }
        }
        return bytes
    }
}

/// Index of the first element whose bits differ, taking every NaN for the same.
func firstDifference(_ a: [Float], _ b: [Float]) -> Int? {
    if a.count != b.count { return min(a.count, b.count) }
    return a.indices.first { a[$0].bitPattern != b[$0].bitPattern && !(a[$0].isNaN && b[$0].isNaN) }
}
