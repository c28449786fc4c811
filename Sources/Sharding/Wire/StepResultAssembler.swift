/// Puts results and their logits together, at the coordinator's end.
///
/// A result without logits is whole at once; one with logits when its last piece came. Pieces of a result that never
/// becomes whole are given up with their epoch.
package struct StepResultAssembler: Sendable {
    private struct Key: Hashable, Sendable {
        var run: RunID
        var epoch: Epoch
        var step: UInt64
    }

    private struct Pending: Sendable {
        var message: StepResultMessage
        var logitCount: Int
    }

    /// Results that wait for logits at the same time.
    package static let pendingMax = 64

    private let logitCountMax: Int
    private var pending: [Key: Pending] = [:]

    /// - Parameter logitCountMax: elements that the logits of one step have at most: rows times vocabulary.
    package init(logitCountMax: Int) { self.logitCountMax = logitCountMax }

    /// Takes a result or a piece of logits of the current run and epoch; drops any other unread.
    ///
    /// - Returns: a whole result, or nil while pieces are missing, and for what was dropped.
    /// - Throws: ``WireError`` for a message of another type, a field out of range, a piece out of order or of no
    ///   result that waits.
    package mutating func take(
        _ frame: CheckedFrame, run: RunID, epoch: Epoch
    ) throws(WireError) -> StepResultMessage? {
        let key = Key(run: frame.prefix.run, epoch: frame.prefix.epoch, step: frame.prefix.step)
        let isCurrent = key.run == run && key.epoch == epoch
        switch frame.type {
        case .stepResult: return isCurrent ? try takeResult(frame, key) : nil
        case .logits: return isCurrent ? try takeLogits(frame, key) : nil
        default:
            throw WireError(
                .type, message: frame.type.name, field: "type", expected: "a result or logits",
                got: "\(frame.type.rawValue)")
        }
    }

    /// Gives up what waits and belongs to an epoch before `epoch`, or to another run.
    package mutating func forget(before epoch: Epoch, run: RunID) {
        pending = pending.filter { $0.key.run == run && $0.key.epoch >= epoch }
    }

    private mutating func takeResult(_ frame: CheckedFrame, _ key: Key) throws(WireError) -> StepResultMessage? {
        try frame.requireNoPayload()
        let read = FieldReader(.stepResult)
        let header = try frame.decode(as: WireStepResultHeader.self, bytesMax: WireLimits.dataHeaderBytesMax)
        let logitCount = try read.integer(header.logitCount, "logit_count", in: 0...logitCountMax)
        let message = StepResultMessage(
            run: frame.prefix.run, epoch: frame.prefix.epoch, stage: Int(frame.prefix.stage),
            result: try header.stepResult(step: frame.prefix.step, read),
            wireBytes: try read.amount(header.wireBytes, "wire_bytes"), wantsEcho: header.wantsEcho)
        guard logitCount > 0 else { return message }
        guard pending.count < Self.pendingMax else {
            throw read.wrong("logit_count", expected: "0 while \(Self.pendingMax) results wait", got: logitCount)
        }
        pending[key] = Pending(message: message, logitCount: logitCount)
        return nil
    }

    private mutating func takeLogits(_ frame: CheckedFrame, _ key: Key) throws(WireError) -> StepResultMessage? {
        let read = FieldReader(.logits)
        let header = try frame.decode(as: WireLogitsHeader.self, bytesMax: WireLimits.controlHeaderBytesMax)
        guard let index = pending.index(forKey: key) else {
            throw read.wrong("step", expected: "one whose result waits for logits", got: key.step)
        }
        let size = MemoryLayout<Float>.size
        let elementCount = frame.payload.count / size
        let have = pending.values[index].message.result.logits.count
        guard frame.payload.count % size == 0, (1...WireLimits.logitsPieceElementsMax).contains(elementCount),
            elementCount <= pending.values[index].logitCount - have
        else {
            throw read.wrong(
                "payload bytes", expected: "whole elements of the \(pending.values[index].logitCount - have) missing",
                got: frame.payload.count)
        }
        guard header.offset == UInt64(have) else { throw read.wrong("offset", expected: "\(have)", got: header.offset) }
        for offset in stride(from: 0, to: frame.payload.count, by: size) {
            let bits = UInt32(littleEndian: frame.payload.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            pending.values[index].message.result.logits.append(Float(bitPattern: bits))
        }
        guard have + elementCount == pending.values[index].logitCount else { return nil }
        return pending.removeValue(forKey: key)?.message
    }
}
