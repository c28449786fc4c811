import SwiftProtobuf

extension FramePrefix {
    /// The first frame of a message: the prefix with its lengths and checksum filled in, then the header.
    ///
    /// - Parameter payload: what the second frame will hold; only read.
    /// - Throws: ``WireError`` when the header or the payload is larger than the other end takes.
    func frame(
        header: some SwiftProtobuf.Message, headerBytesMax: Int,
        payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(WireError) -> [UInt8] {
        let name = MessageType(rawValue: type)?.name ?? "message"
        let bytes: [UInt8]
        do {
            bytes = try header.serializedBytes()
        } catch {
            throw WireError(
                .field, message: name, field: "header", expected: "a message that can be written", got: "\(error)")
        }
        guard bytes.count <= headerBytesMax else {
            throw WireError(
                .length, message: name, field: "header bytes", expected: "at most \(headerBytesMax)",
                got: "\(bytes.count)")
        }
        guard payload.count <= WireLimits.payloadBytesMax else {
            throw WireError(
                .length, message: name, field: "payload bytes", expected: "at most \(WireLimits.payloadBytesMax)",
                got: "\(payload.count)")
        }
        var prefix = self
        prefix.headerBytes = UInt32(bytes.count)
        prefix.payloadBytes = UInt32(payload.count)
        prefix.checksum = bytes.withUnsafeBytes { CheckedFrame.checksum(prefix, header: $0, payload: payload) }
        return [UInt8](unsafeUninitializedCapacity: Self.byteCount + bytes.count) { buffer, count in
            let frame = UnsafeMutableRawBufferPointer(buffer)
            prefix.write(to: frame)
            UnsafeMutableRawBufferPointer(rebasing: frame[Self.byteCount...]).copyBytes(from: bytes)
            count = Self.byteCount + bytes.count
        }
    }
}
