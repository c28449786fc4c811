import Foundation
import ZeroMQ

/// Turns a header's raw numbers into the ranges that values have, naming the message and the field that is wrong.
struct FieldReader {
    let message: String

    init(_ type: MessageType) { message = type.name }

    /// For what is no message of its own.
    init(named name: String) { message = name }

    func wrong(_ field: String, expected: String, got: some Any) -> WireError {
        WireError(.field, message: message, field: field, expected: expected, got: "\(got)")
    }

    /// A count, an index or a position.
    func integer(_ value: some BinaryInteger, _ field: String, in range: ClosedRange<Int>) throws(WireError) -> Int {
        guard let number = Int(exactly: value), range.contains(number) else {
            throw wrong(field, expected: "\(range.lowerBound) to \(range.upperBound)", got: value)
        }
        return number
    }

    /// Bytes or nanoseconds, which receivers add up.
    func amount(_ value: UInt64, _ field: String) throws(WireError) -> UInt64 {
        UInt64(try integer(value, field, in: 0...WireLimits.amountMax))
    }

    /// Time that stages computed, in stage order.
    func stageNanoseconds(_ values: [UInt64]) throws(WireError) -> [UInt64] {
        try count(values.count, "stage_nanoseconds", max: WireLimits.stagesMax)
        for value in values { _ = try amount(value, "stage_nanoseconds") }
        return values
    }

    func token(_ value: UInt32, _ field: String) throws(WireError) -> TokenID {
        guard let token = TokenID(exactly: value) else {
            throw wrong(field, expected: "0 to \(TokenID.max)", got: value)
        }
        return token
    }

    func finite(_ value: Float, _ field: String) throws(WireError) -> Float {
        guard value.isFinite else { throw wrong(field, expected: "a finite number", got: value) }
        return value
    }

    func finite(_ value: Float, _ field: String, in range: ClosedRange<Float>) throws(WireError) -> Float {
        guard range.contains(value) else {
            throw wrong(field, expected: "\(range.lowerBound) to \(range.upperBound)", got: value)
        }
        return value
    }

    func count(_ count: Int, _ field: String, max: Int) throws(WireError) {
        guard count <= max else { throw wrong(field, expected: "at most \(max) entries", got: count) }
    }

    func equal(_ count: Int, _ expected: Int, _ field: String) throws(WireError) {
        guard count == expected else { throw wrong(field, expected: "\(expected) entries", got: count) }
    }

    func text(_ value: String, _ field: String, max: Int = WireLimits.textBytesMax) throws(WireError) -> String {
        guard value.utf8.count <= max else {
            throw wrong(field, expected: "at most \(max) bytes", got: value.utf8.count)
        }
        return value
    }

    /// A name that cannot lead out of a folder: no separators, no `.` or `..`, no control characters.
    func bareName(_ value: String, _ field: String) throws(WireError) -> String {
        let isBare =
            !value.isEmpty && value.utf8.count <= 255 && value != "." && value != ".."
            && value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
        guard isBare else { throw wrong(field, expected: "a bare file name", got: value.debugDescription) }
        return value
    }

    func bytes(_ value: Data, _ field: String, count: Int) throws(WireError) -> [UInt8] {
        guard value.count == count else { throw wrong(field, expected: "\(count) bytes", got: value.count) }
        return Array(value)
    }

    func samplerState(_ value: Data) throws(WireError) -> [UInt8] {
        let max = SequenceResult.samplerStateBytesMax
        guard value.count <= max else {
            throw wrong("sampler_state", expected: "at most \(max) bytes", got: value.count)
        }
        return Array(value)
    }

    func key(_ value: String, _ field: String) throws(WireError) -> CurvePublicKey {
        guard let key = CurvePublicKey(value) else {
            throw wrong(field, expected: "a public key of 40 characters", got: "\(value.utf8.count) bytes")
        }
        return key
    }

    func duration(nanoseconds: UInt64, _ field: String) throws(WireError) -> Duration {
        guard nanoseconds >= 1_000_000, nanoseconds <= 3_600_000_000_000 else {
            throw wrong(field, expected: "1 ms to 1 h", got: "\(nanoseconds) ns")
        }
        return .nanoseconds(Int64(nanoseconds))
    }

    func run(_ value: Data, _ field: String) throws(WireError) -> RunID {
        let bytes = try bytes(value, field, count: RunID.byteCount)
        return RunID(littleEndianBytes: bytes)
    }
}

extension RunID {
    static let byteCount = 16

    /// As it travels: each word little-endian, the high one first.
    var littleEndianBytes: [UInt8] {
        withUnsafeBytes(of: (high.littleEndian, low.littleEndian)) { Array($0) }
    }

    init(littleEndianBytes bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a run id has 16 bytes")
        let words = bytes.withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.init(high: UInt64(littleEndian: words.0), low: UInt64(littleEndian: words.1))
    }
}

extension Duration {
    /// Clamped to what the wire holds.
    var wireNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (nanoseconds, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowed) = nanoseconds.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return overflow || overflowed ? .max : sum
    }
}
