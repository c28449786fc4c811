import Foundation
import SwiftProtobuf

extension CoordinatorOrder {
    /// The one frame that carries this order.
    package func frame(run: RunID) throws(WireError) -> [UInt8] {
        switch self {
        case .helloReply(let reply): try Self.frame(.helloReply, run: run, WireHelloReply(reply))
        case .identify: try Self.frame(.identify, run: run, WireEpochNotice())
        case .measureLinks(let order): try Self.frame(.measureLinks, run: run, WireMeasureLinks(order))
        case .load(let order): try Self.frame(.load, run: run, epoch: order.epoch, WireLoad(order))
        case .activate(let epoch):
            try Self.frame(.activate, run: run, epoch: epoch, WireEpochNotice.with { $0.epoch = epoch.rawValue })
        case .drain(let epoch):
            try Self.frame(.drain, run: run, epoch: epoch, WireEpochNotice.with { $0.epoch = epoch.rawValue })
        case .heartbeat: try Self.frame(.heartbeat, run: run, WireEpochNotice())
        case .stop(let reason): try Self.frame(.stop, run: run, WireFarewell.with { $0.reason = reason.cut() })
        }
    }

    /// - Throws: ``WireError`` when the message is none that a coordinator sends, or a field is out of its range.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.requireNoPayload()
        let read = FieldReader(frame.type)
        let limit = WireLimits.controlHeaderBytesMax
        switch frame.type {
        case .helloReply:
            self = .helloReply(try HelloReply(try frame.decode(as: WireHelloReply.self, bytesMax: limit), read))
        case .identify: self = .identify
        case .measureLinks:
            self = .measureLinks(try frame.decode(as: WireMeasureLinks.self, bytesMax: limit).value(read))
        case .load: self = .load(try LoadOrder(try frame.decode(as: WireLoad.self, bytesMax: limit), read))
        case .activate: self = .activate(Epoch(try frame.decode(as: WireEpochNotice.self, bytesMax: limit).epoch))
        case .drain: self = .drain(Epoch(try frame.decode(as: WireEpochNotice.self, bytesMax: limit).epoch))
        case .heartbeat: self = .heartbeat
        case .stop:
            let header = try frame.decode(as: WireFarewell.self, bytesMax: limit)
            self = .stop(reason: try read.text(header.reason, "reason"))
        default:
            throw WireError(
                .type, message: frame.type.name, field: "type", expected: "a coordinator's order",
                got: "\(frame.type.rawValue)")
        }
    }

    private static func frame(
        _ type: MessageType, run: RunID, epoch: Epoch = .none, _ header: some SwiftProtobuf.Message
    ) throws(WireError) -> [UInt8] {
        try FramePrefix(type: type, run: run, epoch: epoch).frame(
            header: header, headerBytesMax: WireLimits.controlHeaderBytesMax)
    }
}

extension WireHelloReply {
    init(_ reply: HelloReply) {
        self.init()
        switch reply {
        case .accepted(let run, let heartbeat):
            accepted.run = Data(run.littleEndianBytes)
            accepted.heartbeatIntervalNanoseconds = heartbeat.interval.wireNanoseconds
            accepted.deadAfterNanoseconds = heartbeat.deadAfter.wireNanoseconds
        case .refused(let refusal):
            refused.reason =
                switch refusal.reason {
                case .versionMismatch: .versionMismatch
                case .unknownName: .unknownName
                case .nameTaken: .nameTaken
                case .invalid: .invalid
                case .stopping: .stopping
                }
            refused.protocolNumber = refusal.version.number
            refused.programVersion = refusal.version.program
            refused.message = refusal.message.cut()
        }
    }
}

extension HelloReply {
    init(_ header: WireHelloReply, _ read: FieldReader) throws(WireError) {
        switch header.outcome {
        case .accepted(let accepted):
            self = .accepted(
                try read.run(accepted.run, "run"),
                HeartbeatSettings(
                    interval: try read.duration(
                        nanoseconds: accepted.heartbeatIntervalNanoseconds, "heartbeat_interval_nanoseconds"),
                    deadAfter: try read.duration(nanoseconds: accepted.deadAfterNanoseconds, "dead_after_nanoseconds")))
        case .refused(let refused):
            let reason: HelloRefusal.Reason =
                switch refused.reason {
                case .versionMismatch: .versionMismatch
                case .unknownName: .unknownName
                case .nameTaken: .nameTaken
                case .stopping: .stopping
                // A reason that only a newer program knows: its message says the rest.
                case .invalid, .UNRECOGNIZED: .invalid
                }
            self = .refused(
                HelloRefusal(
                    reason,
                    version: ProtocolVersion(
                        number: refused.protocolNumber,
                        program: try read.text(refused.programVersion, "program_version", max: 64)),
                    message: try read.text(refused.message, "message")))
        case nil: throw read.wrong("outcome", expected: "accepted or refused", got: "neither")
        }
    }
}
