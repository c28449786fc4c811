/// The printable stand-ins that byte-level vocabularies use for bytes (GPT-2's table).
///
/// Printable bytes of Latin-1 stand for themselves; the 68 others take the characters from U+0100 on, in order.
enum ByteAlphabet {
    /// UTF-8 of each byte's stand-in: one or two bytes.
    static let encoded: [[UInt8]] = scalars.map { Array(String(Character($0)).utf8) }

    /// The byte that a character stands for, by code point, below U+0144; -1 where it stands for none.
    private static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = Int16(byte) }
        return table
    }()

    private static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(UInt8(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? " "
            }
        }
    }()

    /// The bytes that a token's text stands for; nil when a character of it is no stand-in.
    static func decode(_ text: String) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard scalar.value < 0x144, bytes[Int(scalar.value)] >= 0 else { return nil }
            decoded.append(UInt8(bytes[Int(scalar.value)]))
        }
        return decoded
    }
}
