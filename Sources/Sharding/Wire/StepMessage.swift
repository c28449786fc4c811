import Tensors

/// A step on its way to a stage. Its hidden states travel beside it, as the message's payload.
package struct StepMessage: Sendable, Hashable {
    package var run: RunID
    package var epoch: Epoch
    /// The stage that is to compute it.
    package var stage: Int
    /// Elements of a row's hidden state.
    package var width: Int
    package var step: Step
    /// Time that the stages before this one computed, in stage order.
    package var stageNanoseconds: [UInt64]
    /// Bytes of this step's messages on the hops before this one.
    package var wireBytes: UInt64
    /// Asks a receiver that was waiting for a ``LinkEcho``.
    package var wantsEcho: Bool

    package init(
        run: RunID, epoch: Epoch, stage: Int, width: Int, step: Step, stageNanoseconds: [UInt64] = [],
        wireBytes: UInt64 = 0, wantsEcho: Bool = false
    ) {
        self.run = run
        self.epoch = epoch
        self.stage = stage
        self.width = width
        self.step = step
        self.stageNanoseconds = stageNanoseconds
        self.wireBytes = wireBytes
        self.wantsEcho = wantsEcho
    }

    /// Bytes of the hidden states, `[rows, width]`, f32; nil on overflow.
    package var payloadBytes: Int? { Self.payloadBytes(rows: step.rows.count, width: width) }

    static func payloadBytes(rows: Int, width: Int) -> Int? {
        let (elements, overflow) = rows.multipliedReportingOverflow(by: width)
        return overflow || rows < 0 || width < 0 ? nil : ElementType.f32.byteCount(elementCount: elements)
    }

    /// The first frame of the message.
    ///
    /// - Parameter payload: the second frame, `payloadBytes` long; read for the checksum. Without rows there is no
    ///   second frame.
    /// - Throws: ``WireError`` when something exceeds what the other end takes.
    package func frame(payload: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        let read = FieldReader(.step)
        guard let bytes = payloadBytes, payload.count == bytes else {
            throw WireError(
                .length, message: MessageType.step.name, field: "payload bytes",
                expected: "\(step.rows.count) rows of \(width) f32", got: "\(payload.count)")
        }
        let prefix = FramePrefix(
            type: .step, run: run, epoch: epoch, step: step.id,
            stage: UInt16(try read.integer(stage, "stage", in: 0...WireLimits.stagesMax)),
            elementType: UInt16(ElementType.f32.rawValue),
            rowCount: UInt32(try read.integer(step.rows.count, "row count", in: 0...WireLimits.rowsMax)),
            width: UInt32(try read.integer(width, "width", in: 0...(1 << 24))))
        return try prefix.frame(
            header: WireStepHeader(self), headerBytesMax: WireLimits.dataHeaderBytesMax, payload: payload)
    }

    /// - Throws: ``WireError`` unless the message is a step whose rows, operations and payload fit each other.
    package init(_ frame: CheckedFrame) throws(WireError) {
        let prefix = frame.prefix
        let read = FieldReader(.step)
        guard frame.type == .step else {
            throw WireError(
                .type, message: frame.type.name, field: "type", expected: "\(MessageType.step.rawValue) (step)",
                got: "\(frame.type.rawValue)")
        }
        guard prefix.elementType == UInt16(ElementType.f32.rawValue) else {
            throw read.wrong("element type", expected: "\(ElementType.f32.rawValue) (f32)", got: prefix.elementType)
        }
        let rowCount = try read.integer(prefix.rowCount, "row count", in: 0...WireLimits.rowsMax)
        let width = try read.integer(prefix.width, "width", in: 0...(1 << 24))
        guard let bytes = Self.payloadBytes(rows: rowCount, width: width), bytes == frame.payload.count,
            bytes <= WireLimits.payloadBytesMax
        else {
            throw WireError(
                .length, message: frame.type.name, field: "payload bytes", expected: "\(rowCount) rows of \(width) f32",
                got: "\(frame.payload.count)")
        }
        let header = try frame.decode(as: WireStepHeader.self, bytesMax: WireLimits.dataHeaderBytesMax)
        self.init(
            run: prefix.run, epoch: prefix.epoch,
            stage: try read.integer(prefix.stage, "stage", in: 0...WireLimits.stagesMax), width: width,
            step: Step(
                id: prefix.step, operations: try header.sequenceOperations(read),
                rows: try header.stepRows(count: rowCount, read)),
            stageNanoseconds: try read.stageNanoseconds(header.stageNanoseconds),
            wireBytes: try read.amount(header.wireBytes, "wire_bytes"), wantsEcho: header.wantsEcho)
    }
}
