import Foundation
import SwiftProtobuf
import Tensors

/// Asks the other end of a data connection for a ``LinkEcho``. Its payload is any bytes.
package struct LinkProbe: Sendable, Hashable {
    /// The longest that is sent.
    package static let payloadBytesMax = 1 << 20

    package var run: RunID
    /// `.none` before layers are dealt out.
    package var epoch: Epoch
    /// The stage that it is for; 0 where it is for none.
    package var stage: Int
    /// The echo repeats it.
    package var number: UInt64

    package init(run: RunID, epoch: Epoch, stage: Int, number: UInt64) {
        self.run = run
        self.epoch = epoch
        self.stage = stage
        self.number = number
    }

    /// The first frame of the message.
    ///
    /// - Parameter payload: the second frame; read for the checksum. There is none where it is empty.
    package func frame(payload: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let read = FieldReader(.linkProbe)
        let count = try read.integer(payload.count, "width", in: 0...Self.payloadBytesMax)
        return try FramePrefix(
            type: .linkProbe, run: run, epoch: epoch, step: number,
            stage: UInt16(try read.integer(stage, "stage", in: 0...WireLimits.stagesMax)),
            elementType: UInt16(ElementType.i8.rawValue), rowCount: 1, width: UInt32(count)
        ).frame(header: WireEpochNotice(), headerBytesMax: 0, payload: payload)
    }

    /// - Throws: ``WireError`` unless the message is a probe whose payload is what its prefix says.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.require(.linkProbe)
        let read = FieldReader(.linkProbe)
        let count = try read.integer(frame.prefix.width, "width", in: 0...Self.payloadBytesMax)
        guard count == frame.payload.count else {
            throw read.wrong("payload bytes", expected: "\(count)", got: frame.payload.count)
        }
        self.init(
            run: frame.prefix.run, epoch: frame.prefix.epoch,
            stage: try read.integer(frame.prefix.stage, "stage", in: 0...WireLimits.stagesMax),
            number: frame.prefix.step)
    }
}

/// Says that a message of a data connection was read just now; travels back on the same connection.
package struct LinkEcho: Sendable, Hashable {
    /// What may be answered: a probe, a step or a result.
    package var answered: MessageType
    /// Of the probe, or the step's.
    package var number: UInt64

    package init(answering type: MessageType, number: UInt64) {
        answered = type
        self.number = number
    }

    /// The one frame of the message.
    package func frame() throws(WireError) -> [UInt8] {
        try FramePrefix(type: .linkEcho, run: .none, step: number).frame(
            header: WireLinkEcho.with { $0.answeredType = UInt32(answered.rawValue) }, headerBytesMax: 64)
    }

    /// - Throws: ``WireError`` unless the message is an echo of something that can have one.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.require(.linkEcho)
        try frame.requireNoPayload()
        let type = try frame.decode(as: WireLinkEcho.self, bytesMax: 64).answeredType
        switch UInt16(exactly: type).flatMap({ MessageType(rawValue: $0) }) {
        case .linkProbe: self.init(answering: .linkProbe, number: frame.prefix.step)
        case .step: self.init(answering: .step, number: frame.prefix.step)
        case .stepResult: self.init(answering: .stepResult, number: frame.prefix.step)
        default:
            throw FieldReader(.linkEcho).wrong("answered_type", expected: "a probe, a step or a result", got: type)
        }
    }
}
