/// The storage type of a tensor's elements, with the numbers that GGUF gives them.
///
/// Block types store a fixed count of consecutive elements of one row together; a row is a whole number of blocks.
/// - SeeAlso: ggml `include/ggml.h` (ids), `src/ggml-common.h` (block layouts).
package enum ElementType: UInt32, CaseIterable, Sendable, Hashable {
    case f32 = 0
    case f16 = 1
    case q4_0 = 2
    case q4_1 = 3
    case q5_0 = 6
    case q5_1 = 7
    case q8_0 = 8
    case q2_K = 10
    case q3_K = 11
    case q4_K = 12
    case q5_K = 13
    case q6_K = 14
    case q8_K = 15
    case iq2_xxs = 16
    case iq2_xs = 17
    case iq3_xxs = 18
    case iq1_s = 19
    case iq4_nl = 20
    case iq3_s = 21
    case iq2_s = 22
    case iq4_xs = 23
    case i8 = 24
    case i16 = 25
    case i32 = 26
    case i64 = 27
    case f64 = 28
    case iq1_m = 29
    case bf16 = 30
    case tq1_0 = 34
    case tq2_0 = 35
    case mxfp4 = 39

    /// Elements stored together; 1 for plain types.
    package var blockElementCount: Int { layout.elements }

    /// Bytes of one block (of one element for plain types).
    package var blockBytes: Int { layout.bytes }

    /// The name in common use: `f16`, `q4_0`, `q4_k`; GGUF tools print it in capitals.
    package var name: String { "\(self)".lowercased() }

    /// Whether elements are stored in blocks with scales.
    package var isQuantized: Bool { blockElementCount > 1 }

    /// Bytes of `elementCount` consecutive elements; nil when they are no whole number of blocks or overflow.
    package func byteCount(elementCount: Int) -> Int? {
        guard elementCount >= 0, elementCount % blockElementCount == 0 else { return nil }
        let (bytes, overflow) = (elementCount / blockElementCount).multipliedReportingOverflow(by: blockBytes)
        return overflow ? nil : bytes
    }

    private var layout: (elements: Int, bytes: Int) {
        switch self {
        case .f32, .i32: (1, 4)
        case .f16, .bf16, .i16: (1, 2)
        case .i8: (1, 1)
        case .i64, .f64: (1, 8)
        case .q4_0, .iq4_nl: (32, 18)
        case .q4_1: (32, 20)
        case .q5_0: (32, 22)
        case .q5_1: (32, 24)
        case .q8_0: (32, 34)
        case .mxfp4: (32, 17)
        case .q2_K: (256, 84)
        case .q3_K: (256, 110)
        case .q4_K: (256, 144)
        case .q5_K: (256, 176)
        case .q6_K: (256, 210)
        case .q8_K: (256, 292)
        case .iq2_xxs: (256, 66)
        case .iq2_xs: (256, 74)
        case .iq3_xxs: (256, 98)
        case .iq1_s: (256, 50)
        case .iq3_s: (256, 110)
        case .iq2_s: (256, 82)
        case .iq4_xs: (256, 136)
        case .iq1_m: (256, 56)
        case .tq1_0: (256, 54)
        case .tq2_0: (256, 66)
        }
    }
}
