import Foundation

/// What the last stage returns for a step; logits follow in pieces.
package struct StepResultMessage: Sendable, Hashable {
    package var run: RunID
    package var epoch: Epoch
    /// The stage that it comes from: the last.
    package var stage: Int
    /// On a decoded message `logits` is empty until its pieces came.
    package var result: StepResult
    /// Bytes of this step's messages on all hops before this one.
    package var wireBytes: UInt64
    /// Asks a receiver that was waiting for a ``LinkEcho``.
    package var wantsEcho: Bool

    package init(
        run: RunID, epoch: Epoch, stage: Int, result: StepResult, wireBytes: UInt64 = 0, wantsEcho: Bool = false
    ) {
        self.run = run
        self.epoch = epoch
        self.stage = stage
        self.result = result
        self.wireBytes = wireBytes
        self.wantsEcho = wantsEcho
    }

    /// The one frame of the result itself.
    package func frame() throws(WireError) -> [UInt8] {
        let meanCount = result.sequences.reduce(0) {
            if case .mean(let mean) = $1.outcome { $0 + mean.count } else { $0 }
        }
        try FieldReader(.stepResult).count(meanCount, "sequences.mean", max: WireLimits.meanElementsMax)
        return try prefix(.stepResult).frame(
            header: WireStepResultHeader(self), headerBytesMax: WireLimits.dataHeaderBytesMax)
    }

    /// The ranges of `result.logits` that travel as messages of their own after the result, in this order.
    package var logitsPieces: [Range<Int>] {
        let size = WireLimits.logitsPieceElementsMax
        return stride(from: 0, to: result.logits.count, by: size).map { $0..<min($0 + size, result.logits.count) }
    }

    /// The first frame of the message that carries `range` of the logits; `payload` is the second.
    package func logitsFrame(_ range: Range<Int>, payload: UnsafeRawBufferPointer) throws(WireError) -> [UInt8] {
        precondition(payload.count == range.count * MemoryLayout<Float>.size, "a piece's payload is its elements")
        return try prefix(.logits).frame(
            header: WireLogitsHeader.with { $0.offset = UInt64(range.lowerBound) },
            headerBytesMax: WireLimits.dataHeaderBytesMax, payload: payload)
    }

    private func prefix(_ type: MessageType) throws(WireError) -> FramePrefix {
        FramePrefix(
            type: type, run: run, epoch: epoch, step: result.step,
            stage: UInt16(try FieldReader(type).integer(stage, "stage", in: 0...WireLimits.stagesMax)))
    }
}

extension WireStepResultHeader {
    init(_ message: StepResultMessage) {
        self.init()
        sequences = message.result.sequences.map(SequenceResult.init)
        stageNanoseconds = message.result.stageNanoseconds
        logitCount = UInt64(message.result.logits.count)
        wireBytes = message.wireBytes
        wantsEcho = message.wantsEcho
    }

    func stepResult(step: UInt64, _ read: FieldReader) throws(WireError) -> StepResult {
        try read.count(sequences.count, "sequences", max: WireLimits.rowsMax)
        // No overflow: every element was a part of the message.
        let meanCount = sequences.reduce(0) { $0 + $1.mean.count }
        try read.count(meanCount, "sequences.mean", max: WireLimits.meanElementsMax)
        var results: [Sharding.SequenceResult] = []
        for sequence in sequences { results.append(try sequence.value(read)) }
        return StepResult(step: step, sequences: results, stageNanoseconds: try read.stageNanoseconds(stageNanoseconds))
    }
}

extension WireStepResultHeader.SequenceResult {
    init(_ result: SequenceResult) {
        self.init()
        sequence = result.sequence.rawValue
        position = UInt32(clamping: result.position)
        samplerState = Data(result.samplerState)
        switch result.outcome {
        case .tokens(let accepted): tokens = accepted.map(WireStepResultHeader.Accepted.init)
        case .failed(let message): failure = message.cut()
        case .mean(let values): mean = values
        }
    }

    func value(_ read: FieldReader) throws(WireError) -> SequenceResult {
        let outcome: SequenceResult.Outcome
        if hasFailure {
            outcome = .failed(try read.text(failure, "sequences.failure"))
        } else if tokens.isEmpty, !mean.isEmpty {
            for value in mean { _ = try read.finite(value, "sequences.mean") }
            outcome = .mean(mean)
        } else {
            guard (1...WireLimits.acceptedTokensMax).contains(tokens.count) else {
                throw read.wrong(
                    "sequences.tokens", expected: "1 to \(WireLimits.acceptedTokensMax) entries", got: tokens.count)
            }
            var accepted: [AcceptedToken] = []
            for token in tokens { accepted.append(try token.value(read)) }
            outcome = .tokens(accepted)
        }
        return SequenceResult(
            sequence: SequenceID(sequence),
            position: try read.integer(position, "sequences.position", in: 0...WireLimits.sequenceTokensMax),
            outcome: outcome, samplerState: try read.samplerState(samplerState))
    }
}

extension WireStepResultHeader.Accepted {
    init(_ accepted: AcceptedToken) {
        self.init()
        token = UInt32(clamping: accepted.token)
        logprob = accepted.logprob
        topTokens = accepted.top.map { UInt32(clamping: $0.token) }
        topLogprobs = accepted.top.map(\.logprob)
    }

    func value(_ read: FieldReader) throws(WireError) -> AcceptedToken {
        try read.count(topTokens.count, "sequences.tokens.top_tokens", max: WireLimits.topLogprobsMax)
        try read.equal(topLogprobs.count, topTokens.count, "sequences.tokens.top_logprobs")
        var top: [TokenLogprob] = []
        for (token, logprob) in zip(topTokens, topLogprobs) {
            top.append(
                TokenLogprob(
                    token: try read.token(token, "sequences.tokens.top_tokens"),
                    logprob: try Self.logprob(logprob, "sequences.tokens.top_logprobs", read)))
        }
        return AcceptedToken(
            token: try read.token(token, "sequences.tokens.token"),
            logprob: try Self.logprob(logprob, "sequences.tokens.logprob", read), top: top)
    }

    /// A probability of 0 has a logarithm too: minus infinity.
    private static func logprob(_ value: Float, _ field: String, _ read: FieldReader) throws(WireError) -> Float {
        guard !value.isNaN, value < .infinity else { throw read.wrong(field, expected: "a number", got: value) }
        return value
    }
}
