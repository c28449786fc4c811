import Foundation
import SwiftProtobuf

extension WorkerReport {
    /// The one frame that carries this report.
    package func frame(run: RunID) throws(WireError) -> [UInt8] {
        switch self {
        case .hello(let hello):
            // The prefix names the version of the hello, which tests of other versions set.
            var prefix = FramePrefix(type: .hello, run: run)
            prefix.version = UInt16(clamping: hello.version.number)
            return try prefix.frame(header: WireHello(hello), headerBytesMax: WireLimits.controlHeaderBytesMax)
        case .loadProgress(let progress):
            return try Self.frame(
                .loadProgress, run: run, epoch: progress.epoch,
                WireLoadProgress.with {
                    $0.epoch = progress.epoch.rawValue
                    $0.doneBytes = progress.doneBytes
                    $0.totalBytes = progress.totalBytes
                })
        case .loaded(let loaded):
            return try Self.frame(
                .loaded, run: run, epoch: loaded.epoch,
                WireLoaded.with {
                    $0.epoch = loaded.epoch.rawValue
                    $0.weightBytes = loaded.weightBytes
                    $0.cacheBytes = loaded.cacheBytes
                })
        case .loadFailed(let failure):
            return try Self.frame(
                .loadFailure, run: run, epoch: failure.epoch,
                WireLoadFailure.with {
                    $0.epoch = failure.epoch.rawValue
                    $0.reason = WireLoadFailure.Reason(failure.reason)
                    $0.message = failure.message.cut()
                })
        case .activated(let epoch):
            return try Self.frame(
                .activated, run: run, epoch: epoch, WireEpochNotice.with { $0.epoch = epoch.rawValue })
        case .drained(let epoch):
            return try Self.frame(.drained, run: run, epoch: epoch, WireEpochNotice.with { $0.epoch = epoch.rawValue })
        case .heartbeat(let heartbeat):
            return try Self.frame(
                .workerHeartbeat, run: run, epoch: heartbeat.epoch,
                WireWorkerHeartbeat.with {
                    $0.epoch = heartbeat.epoch.rawValue
                    $0.stepsReceived = heartbeat.stepsReceived
                    $0.stepsCompleted = heartbeat.stepsCompleted
                    $0.layersCompleted = heartbeat.layersCompleted
                    $0.memoryAvailableBytes = heartbeat.memoryAvailableBytes
                })
        case .stepFailed(let failure):
            return try Self.frame(
                .stepFailure, run: run, epoch: failure.epoch,
                WireStepFailure.with {
                    $0.epoch = failure.epoch.rawValue
                    $0.step = failure.step
                    $0.stage = UInt32(clamping: failure.stage)
                    $0.message = failure.message.cut()
                })
        case .linkFailed(let failure):
            return try Self.frame(
                .linkFailure, run: run, epoch: failure.epoch,
                WireLinkFailure.with {
                    $0.epoch = failure.epoch.rawValue
                    $0.stage = UInt32(clamping: failure.stage)
                    $0.endpoint = failure.endpoint.cut(max: WireLimits.endpointBytesMax)
                    $0.message = failure.message.cut()
                })
        case .linkMeasured(let link):
            return try Self.frame(.linkMeasured, run: run, epoch: link.epoch, WireLinkMeasured(link))
        case .linksMeasured(let findings):
            return try Self.frame(.linksMeasured, run: run, epoch: .none, WireLinksMeasured(findings))
        case .leaving(let reason):
            return try Self.frame(.leaving, run: run, epoch: .none, WireFarewell.with { $0.reason = reason.cut() })
        }
    }

    /// - Throws: ``WireError`` when the message is none that a worker sends, or a field is out of its range.
    package init(_ frame: CheckedFrame) throws(WireError) {
        try frame.requireNoPayload()
        let read = FieldReader(frame.type)
        let limit = WireLimits.controlHeaderBytesMax
        switch frame.type {
        case .hello:
            self = .hello(try WorkerHello(try frame.decode(as: WireHello.self, bytesMax: limit), read))
        case .loadProgress:
            let header = try frame.decode(as: WireLoadProgress.self, bytesMax: limit)
            self = .loadProgress(
                LoadProgress(epoch: Epoch(header.epoch), doneBytes: header.doneBytes, totalBytes: header.totalBytes))
        case .loaded:
            let header = try frame.decode(as: WireLoaded.self, bytesMax: limit)
            self = .loaded(
                Loaded(epoch: Epoch(header.epoch), weightBytes: header.weightBytes, cacheBytes: header.cacheBytes))
        case .loadFailure:
            let header = try frame.decode(as: WireLoadFailure.self, bytesMax: limit)
            self = .loadFailed(
                LoadFailure(
                    epoch: Epoch(header.epoch), reason: LoadFailure.Reason(header.reason),
                    message: try read.text(header.message, "message")))
        case .activated:
            self = .activated(Epoch(try frame.decode(as: WireEpochNotice.self, bytesMax: limit).epoch))
        case .drained:
            self = .drained(Epoch(try frame.decode(as: WireEpochNotice.self, bytesMax: limit).epoch))
        case .workerHeartbeat:
            let header = try frame.decode(as: WireWorkerHeartbeat.self, bytesMax: limit)
            self = .heartbeat(
                WorkerHeartbeat(
                    epoch: Epoch(header.epoch), stepsReceived: header.stepsReceived,
                    stepsCompleted: header.stepsCompleted, layersCompleted: header.layersCompleted,
                    memoryAvailableBytes: header.memoryAvailableBytes))
        case .stepFailure:
            let header = try frame.decode(as: WireStepFailure.self, bytesMax: limit)
            self = .stepFailed(
                StepFailure(
                    epoch: Epoch(header.epoch), step: header.step,
                    stage: try read.integer(header.stage, "stage", in: 0...WireLimits.stagesMax),
                    message: try read.text(header.message, "message")))
        case .linkFailure:
            let header = try frame.decode(as: WireLinkFailure.self, bytesMax: limit)
            self = .linkFailed(
                LinkFailure(
                    epoch: Epoch(header.epoch),
                    stage: try read.integer(header.stage, "stage", in: 0...WireLimits.stagesMax),
                    endpoint: try read.text(header.endpoint, "endpoint", max: WireLimits.endpointBytesMax),
                    message: try read.text(header.message, "message")))
        case .linkMeasured:
            self = .linkMeasured(try frame.decode(as: WireLinkMeasured.self, bytesMax: limit).value(read))
        case .linksMeasured:
            self = .linksMeasured(try frame.decode(as: WireLinksMeasured.self, bytesMax: limit).value(read))
        case .leaving:
            let header = try frame.decode(as: WireFarewell.self, bytesMax: limit)
            self = .leaving(try read.text(header.reason, "reason"))
        default:
            throw WireError(
                .type, message: frame.type.name, field: "type", expected: "a worker's report",
                got: "\(frame.type.rawValue)")
        }
    }

    private static func frame(
        _ type: MessageType, run: RunID, epoch: Epoch, _ header: some SwiftProtobuf.Message
    ) throws(WireError) -> [UInt8] {
        try FramePrefix(type: type, run: run, epoch: epoch).frame(
            header: header, headerBytesMax: WireLimits.controlHeaderBytesMax)
    }
}

extension String {
    /// At most as many bytes as the wire takes, cut between characters.
    func cut(max: Int = WireLimits.textBytesMax) -> String {
        guard utf8.count > max else { return self }
        var text = ""
        var count = 0
        for character in self {
            count += character.utf8.count
            if count > max { break }
            text.append(character)
        }
        return text
    }
}

extension WireLoadFailure.Reason {
    init(_ reason: LoadFailure.Reason) {
        self =
            switch reason {
            case .fileMissing: .fileMissing
            case .hashMismatch: .hashMismatch
            case .invalidFile: .invalidFile
            case .outOfMemory: .outOfMemory
            case .other: .other
            }
    }
}

extension LoadFailure.Reason {
    /// A reason that a newer program gives counts as `other`; its message says the rest.
    init(_ reason: WireLoadFailure.Reason) {
        self =
            switch reason {
            case .fileMissing: .fileMissing
            case .hashMismatch: .hashMismatch
            case .invalidFile: .invalidFile
            case .outOfMemory: .outOfMemory
            case .other, .UNRECOGNIZED: .other
            }
    }
}
