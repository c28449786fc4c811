/// The 32 bytes of a key, and their Z85 text (ZeroMQ RFC 32): four bytes are five printable characters.
struct CurveKeyBytes: Sendable, Hashable {
    static let byteCount = 32
    static let textLength = 40

    // Four bytes each, the first of them highest.
    private var groups: SIMD8<UInt32>

    /// nil unless there are 32.
    init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        groups = .zero
        for (index, byte) in bytes.enumerated() {
            groups[index / 4] = groups[index / 4] << 8 | UInt32(byte)
        }
    }

    /// nil unless it is the Z85 text of 32 bytes.
    init?(text: some Sequence<UInt8>) {
        groups = .zero
        var value: UInt32 = 0
        var count = 0
        for character in text {
            guard count < Self.textLength, let digit = Self.digits[Int(character)] else { return nil }
            let (product, productOverflowed) = value.multipliedReportingOverflow(by: 85)
            let (sum, sumOverflowed) = product.addingReportingOverflow(UInt32(digit))
            guard !productOverflowed, !sumOverflowed else { return nil }
            value = sum
            count += 1
            if count % 5 == 0 {
                groups[count / 5 - 1] = value
                value = 0
            }
        }
        guard count == Self.textLength else { return nil }
    }

    var bytes: [UInt8] {
        (0..<Self.byteCount).map { UInt8(truncatingIfNeeded: groups[$0 / 4] >> (24 - 8 * ($0 % 4))) }
    }

    var text: String {
        var characters = [UInt8](repeating: 0, count: Self.textLength)
        for group in 0..<8 {
            var value = groups[group]
            for place in (0..<5).reversed() {
                characters[5 * group + place] = Self.alphabet[Int(value % 85)]
                value /= 85
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    private static let alphabet = Array(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)

    /// The value of each character; nil for those that are none.
    private static let digits: [UInt8?] = {
        var digits = [UInt8?](repeating: nil, count: 256)
        for (value, character) in alphabet.enumerated() { digits[Int(character)] = UInt8(value) }
        return digits
    }()
}
