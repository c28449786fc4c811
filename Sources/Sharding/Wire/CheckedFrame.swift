import SwiftProtobuf

/// A received message whose lengths and checksum hold; what its header says is not checked yet.
///
/// It borrows the frames' bytes: it must not outlive them.
package struct CheckedFrame {
    package let prefix: FramePrefix
    package let type: MessageType
    /// Protocol Buffers, after the prefix.
    let header: UnsafeRawBufferPointer
    /// The second frame, or what stands behind the header in the first; not aligned.
    package let payload: UnsafeRawBufferPointer

    /// Bytes of both frames, as they were on the wire.
    package var byteCount: Int { FramePrefix.byteCount + header.count + payload.count }

    /// - Parameters:
    ///   - frame: prefix and header; a short payload may stand behind them.
    ///   - payload: the second frame; empty where the message had none.
    /// - Throws: ``WireError`` for any bytes that are not a whole, undamaged message of a type and version that this
    ///   program knows. Of `hello` and `helloReply` any version passes.
    package init(
        _ frame: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(WireError) {
        guard frame.count >= FramePrefix.byteCount else {
            throw WireError(
                .length, message: "message", field: "prefix", expected: "\(FramePrefix.byteCount) bytes",
                got: "\(frame.count)")
        }
        guard let prefix = FramePrefix(frame) else {
            throw WireError(.magic, message: "message", field: "magic", expected: "SHRD", got: "other bytes")
        }
        let rest = UnsafeRawBufferPointer(rebasing: frame[FramePrefix.byteCount...])
        let isJoined = payload.isEmpty && Int(prefix.headerBytes) < rest.count
        let header = isJoined ? UnsafeRawBufferPointer(rebasing: rest[..<Int(prefix.headerBytes)]) : rest
        let content = isJoined ? UnsafeRawBufferPointer(rebasing: rest[Int(prefix.headerBytes)...]) : payload
        guard Int(prefix.headerBytes) == header.count else {
            throw WireError(
                .length, message: "message", field: "header bytes", expected: "\(prefix.headerBytes)",
                got: "\(header.count)")
        }
        guard Int(prefix.payloadBytes) == content.count else {
            throw WireError(
                .length, message: "message", field: "payload bytes", expected: "\(prefix.payloadBytes)",
                got: "\(content.count)")
        }
        let checksum = Self.checksum(prefix, header: header, payload: content)
        guard checksum == prefix.checksum else {
            throw WireError(
                .checksum, message: "message", field: "checksum", expected: Self.hexadecimal(prefix.checksum),
                got: Self.hexadecimal(checksum))
        }
        guard let type = MessageType(rawValue: prefix.type) else {
            throw prefix.version == FramePrefix.version
                ? WireError(.type, message: "message", field: "type", expected: "a known number", got: "\(prefix.type)")
                : Self.otherVersion(prefix.version, message: "message")
        }
        guard prefix.version == FramePrefix.version || type.isVersionless else {
            throw Self.otherVersion(prefix.version, message: type.name)
        }
        self.prefix = prefix
        self.type = type
        self.header = header
        self.payload = content
    }

    /// The checksum of a message; the one in `prefix` counts as zero.
    static func checksum(
        _ prefix: FramePrefix, header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) -> UInt32 {
        var prefix = prefix
        prefix.checksum = 0
        var crc = CRC32C()
        withUnsafeTemporaryAllocation(byteCount: FramePrefix.byteCount, alignment: 8) { bytes in
            prefix.write(to: bytes)
            crc.update(UnsafeRawBufferPointer(bytes))
        }
        crc.update(header)
        crc.update(payload)
        return crc.value
    }

    /// Decodes the header as `Header`; fields that this program does not know are ignored.
    func decode<Header: SwiftProtobuf.Message>(as _: Header.Type, bytesMax: Int) throws(WireError) -> Header {
        guard header.count <= bytesMax else {
            throw WireError(
                .length, message: type.name, field: "header bytes", expected: "at most \(bytesMax)",
                got: "\(header.count)")
        }
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        do {
            return try Header(serializedBytes: header.bytes, options: options)
        } catch {
            throw WireError(
                .field, message: type.name, field: "header", expected: "a Protocol Buffers message",
                got: "\(header.count) bytes that are none")
        }
    }

    /// Throws unless the message has no payload.
    func requireNoPayload() throws(WireError) {
        guard payload.isEmpty else {
            throw WireError(
                .length, message: type.name, field: "payload bytes", expected: "none", got: "\(payload.count)")
        }
    }

    private static func otherVersion(_ version: UInt16, message: String) -> WireError {
        WireError(
            .version, message: message, field: "version", expected: "protocol \(FramePrefix.version)",
            got: "protocol \(version)")
    }

    private static func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
