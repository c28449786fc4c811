import Foundation
import SwiftProtobuf
import Tensors

/// Asks for a run of the bytes that have a hash.
package struct WeightRequest: Sendable, Hashable {
    package var hash: FileHash
    /// Index of the first byte.
    package var offset: Int
    /// 1 to ``WireLimits/weightChunkBytesMax``.
    package var byteCount: Int

    package init(hash: FileHash, offset: Int, byteCount: Int) {
        self.hash = hash
        self.offset = offset
        self.byteCount = byteCount
    }

    package var range: Range<Int> { offset..<offset + byteCount }

    /// The one frame of the request.
    package func frame() throws(WireError) -> [UInt8] {
        let read = FieldReader(.weightRequest)
        let header = WireWeightRequest.with {
            $0.hash = Data(hash.bytes)
            $0.offset = UInt64(clamping: offset)
            $0.length = UInt32(clamping: byteCount)
        }
        _ = try header.value(read)
        return try FramePrefix(type: .weightRequest, run: .none).frame(
            header: header, headerBytesMax: WireLimits.weightHeaderBytesMax)
    }

    /// - Throws: ``WireError`` unless the message is a request whose fields are in their ranges.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.require(.weightRequest)
        try frame.requireNoPayload()
        let header = try frame.decode(as: WireWeightRequest.self, bytesMax: WireLimits.weightHeaderBytesMax)
        self = try header.value(FieldReader(.weightRequest))
    }
}

/// What a message with weights says of its payload: which bytes these are.
package struct WeightChunk: Sendable, Hashable {
    package var hash: FileHash
    package var offset: Int
    package var byteCount: Int

    package init(hash: FileHash, offset: Int, byteCount: Int) {
        self.hash = hash
        self.offset = offset
        self.byteCount = byteCount
    }

    /// The first frame of the message.
    ///
    /// - Parameter payload: the second frame, `byteCount` long; read for the checksum.
    package func frame(payload: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let read = FieldReader(.weightChunk)
        guard payload.count == byteCount else {
            throw WireError(
                .length, message: MessageType.weightChunk.name, field: "payload bytes", expected: "\(byteCount)",
                got: "\(payload.count)")
        }
        let count = try read.integer(byteCount, "width", in: 1...WireLimits.weightChunkBytesMax)
        let prefix = FramePrefix(
            type: .weightChunk, run: .none, elementType: Self.elementType, rowCount: 1, width: UInt32(count))
        let header = WireWeightChunk.with {
            $0.hash = Data(hash.bytes)
            $0.offset = UInt64(clamping: offset)
        }
        return try prefix.frame(header: header, headerBytesMax: WireLimits.weightHeaderBytesMax, payload: payload)
    }

    /// - Throws: ``WireError`` unless the message is a chunk whose payload is what its prefix says.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.require(.weightChunk)
        let read = FieldReader(.weightChunk)
        let prefix = frame.prefix
        guard prefix.elementType == Self.elementType else {
            throw read.wrong("element type", expected: "\(Self.elementType) (bytes)", got: prefix.elementType)
        }
        guard prefix.rowCount == 1 else { throw read.wrong("row count", expected: "1", got: prefix.rowCount) }
        let byteCount = try read.integer(prefix.width, "width", in: 1...WireLimits.weightChunkBytesMax)
        guard byteCount == frame.payload.count else {
            throw WireError(
                .length, message: frame.type.name, field: "payload bytes", expected: "\(byteCount)",
                got: "\(frame.payload.count)")
        }
        let header = try frame.decode(as: WireWeightChunk.self, bytesMax: WireLimits.weightHeaderBytesMax)
        self.init(
            hash: try read.hash(header.hash, "hash"),
            offset: try read.integer(header.offset, "offset", in: 0...WireLimits.amountMax), byteCount: byteCount)
    }

    /// Single bytes, whatever they mean to whoever asked for them.
    static let elementType = UInt16(ElementType.i8.rawValue)
}

/// Why a request got no bytes.
package struct WeightRefusal: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Nothing there has this hash.
        case unknown
        /// The run does not lie inside what has this hash.
        case range
        /// More requests wait than that end keeps.
        case busy
        /// The file is no longer the one that was hashed.
        case changed
    }

    package var hash: FileHash
    package var offset: Int
    package var reason: Reason
    /// One line, for people.
    package var message: String

    package init(hash: FileHash, offset: Int, reason: Reason, message: String) {
        self.hash = hash
        self.offset = offset
        self.reason = reason
        self.message = message
    }

    /// The one frame of the refusal.
    package func frame() throws(WireError) -> [UInt8] {
        let header = WireWeightRefusal.with {
            $0.hash = Data(hash.bytes)
            $0.offset = UInt64(clamping: offset)
            $0.reason =
                switch reason {
                case .unknown: .unknown
                case .range: .range
                case .busy: .busy
                case .changed: .changed
                }
            $0.message = message.cut()
        }
        return try FramePrefix(type: .weightRefusal, run: .none).frame(
            header: header, headerBytesMax: WireLimits.weightHeaderBytesMax)
    }

    /// - Throws: ``WireError`` unless the message is a refusal whose fields are in their ranges.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.require(.weightRefusal)
        try frame.requireNoPayload()
        let read = FieldReader(.weightRefusal)
        let header = try frame.decode(as: WireWeightRefusal.self, bytesMax: WireLimits.weightHeaderBytesMax)
        self.init(
            hash: try read.hash(header.hash, "hash"),
            offset: try read.integer(header.offset, "offset", in: 0...WireLimits.amountMax),
            reason: Reason(header.reason), message: try read.text(header.message, "message"))
    }
}

extension WeightRefusal.Reason {
    /// A reason that only a newer program knows means, like `unknown`, that these bytes are not to be had there.
    init(_ reason: WireWeightRefusal.Reason) {
        self =
            switch reason {
            case .range: .range
            case .busy: .busy
            case .changed: .changed
            case .unknown, .UNRECOGNIZED: .unknown
            }
    }
}

extension WireWeightRequest {
    func value(_ read: FieldReader) throws(WireError) -> WeightRequest {
        WeightRequest(
            hash: try read.hash(hash, "hash"),
            offset: try read.integer(offset, "offset", in: 0...WireLimits.amountMax),
            byteCount: try read.integer(length, "length", in: 1...WireLimits.weightChunkBytesMax))
    }
}

extension FieldReader {
    func hash(_ value: Data, _ field: String) throws(WireError) -> FileHash {
        guard let hash = FileHash(bytes: try bytes(value, field, count: FileHash.byteCount)) else {
            throw wrong(field, expected: "\(FileHash.byteCount) bytes", got: value.count)
        }
        return hash
    }
}

extension CheckedFrame {
    /// Throws unless this is a message of the type that is read.
    func require(_ wanted: MessageType) throws(WireError) {
        guard type == wanted else {
            throw WireError(
                .type, message: type.name, field: "type", expected: "\(wanted.rawValue) (\(wanted.name))",
                got: "\(type.rawValue)")
        }
    }
}
