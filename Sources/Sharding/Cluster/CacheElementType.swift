/// How a key-value cache stores its elements.
package enum CacheElementType: String, Sendable, Hashable, CaseIterable {
    case f32
    case f16
    case q8_0

    /// Bytes that `elementCount` elements take, a row of a head at a time; nil on overflow or a broken block.
    package func byteCount(elementCount: Int) -> Int? {
        switch self {
        case .f32: Self.product(elementCount, 4)
        case .f16: Self.product(elementCount, 2)
        case .q8_0: elementCount % 32 == 0 ? Self.product(elementCount / 32, 34) : nil
        }
    }

    private static func product(_ count: Int, _ size: Int) -> Int? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        return overflow || count < 0 ? nil : bytes
    }
}
