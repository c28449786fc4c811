import Inference
import Links
import Logging
import Sharding
import ZeroMQ

extension StepLoop {
    /// Takes one message of the data socket: computes the step and sends it on, or drops it.
    ///
    /// - Parameter hasWaited: this thread had nothing else to do when the message came.
    func take(_ message: borrowing ReceivedMessage, hasWaited: Bool) {
        guard message.frameCount == 1 || message.frameCount == 2 else {
            return drop("a message of \(message.frameCount) frames, expected 1 or 2")
        }
        let sender = Sender(key: message.peerKey, name: message.sender, isHeardAtOnce: hasWaited)
        message.header.withBytes { header in
            message.payload.withBytes { payload in
                do throws(WireError) {
                    let frame = try CheckedFrame(header, payload: payload)
                    if frame.type == .linkProbe {
                        take(try LinkProbe(frame), from: sender)
                    } else {
                        take(frame, from: sender)
                    }
                } catch {
                    drop("data socket: \(error)")
                }
            }
        }
    }

    /// Who sent a message, and how it was found here.
    private struct Sender {
        /// Who proved to be at the other end; nil without encryption.
        var key: CurvePublicKey?
        /// As the data socket names it.
        var name: [UInt8]
        var isHeardAtOnce: Bool
    }

    private func take(_ probe: LinkProbe, from sender: Sender) {
        guard expects(probe, sender.key) else {
            return drop("a probe of epoch \(probe.epoch), from one that is not expected")
        }
        send(LinkEcho(answering: .linkProbe, number: probe.number), to: sender)
    }

    private func send(_ echo: LinkEcho, to sender: Sender) {
        do throws(ZeroMQError) {
            try LinkAnswer.send(echo, to: sender.name, over: data.socket)
        } catch {
            drop("an echo was not sent: \(error)")
        }
    }

    /// Probes come from those who may send steps, and before there are any from those whom the coordinator named.
    private func expects(_ probe: LinkProbe, _ key: CurvePublicKey?) -> Bool {
        if probe.epoch == .none {
            // Without keys nobody was told whom to expect.
            guard configuration.security != nil else { return true }
            guard let key, let survey, survey.run == probe.run else { return false }
            return survey.admittedKeys.contains(key)
        }
        guard let epoch = epochs[probe.epoch], epoch.run == probe.run else { return false }
        return isAdmitted(key, to: UInt16(clamping: probe.stage), of: epoch)
    }

    private func take(_ frame: CheckedFrame, from sender: Sender) {
        let prefix = frame.prefix
        guard let epoch = epochs[prefix.epoch], epoch.run == prefix.run else {
            return drop("\(frame.type.name) \(prefix.step) of epoch \(prefix.epoch), which this worker does not hold")
        }
        guard case .active = epoch.phase else {
            return drop("\(frame.type.name) \(prefix.step) of epoch \(prefix.epoch), which is not active")
        }
        guard isAdmitted(sender.key, to: prefix.stage, of: epoch) else {
            return drop("\(frame.type.name) \(prefix.step) for stage \(prefix.stage), from one that may not send it")
        }
        counters.stepsReceived.add(1, ordering: .relaxed)
        do throws(StepProblem) {
            guard let stage = epoch.stages[Int(prefix.stage)] else {
                throw StepProblem("expected a stage of \(epoch.stages.keys.sorted()), got \(prefix.stage)")
            }
            guard prefix.step > stage.lastStep else {
                return drop("step \(prefix.step) of epoch \(prefix.epoch), which came before")
            }
            guard prefix.step == stage.lastStep + 1 else {
                throw StepProblem("expected step \(stage.lastStep + 1), got \(prefix.step): a message was lost")
            }
            let step: StepMessage
            do throws(WireError) {
                step = try StepMessage(frame)
            } catch {
                throw StepProblem("\(error)")
            }
            guard step.width == stage.runner.model.hiddenSize else {
                throw StepProblem("width: expected \(stage.runner.model.hiddenSize), got \(step.width)")
            }
            if step.wantsEcho, sender.isHeardAtOnce {
                send(LinkEcho(answering: .step, number: prefix.step), to: sender)
            }
            try run(step, frame, stage)
            stage.lastStep = prefix.step
            counters.stepsCompleted.add(1, ordering: .relaxed)
        } catch {
            epoch.phase = .failed
            post(
                .stepFailed(
                    StepFailure(
                        epoch: prefix.epoch, step: prefix.step, stage: Int(prefix.stage), message: error.message)))
        }
    }

    /// Who may connect may still send only to the stages that come after its own.
    private func isAdmitted(_ sender: CurvePublicKey?, to stage: UInt16, of epoch: EpochStages) -> Bool {
        guard configuration.security != nil else { return true }
        guard let sender, let stage = epoch.stages[Int(stage)] else { return false }
        return stage.order.admittedKeys.contains(sender)
    }

    private func run(_ step: StepMessage, _ frame: CheckedFrame, _ stage: EpochStage) throws(StepProblem) {
        let started = ContinuousClock.now
        var result: StepResult?
        // The runner writes straight into the message that goes on; a stage with the head writes nothing there.
        let byteCount = stage.order.includesHead ? 0 : frame.payload.count
        var output = try Message(byteCount: byteCount) { (bytes) throws(StepProblem) in
            do throws(InferenceError) {
                result = try stage.runner.run(step.step, hidden: frame.payload, output: bytes)
            } catch {
                throw StepProblem("\(error)")
            }
        }
        var next = step
        next.stageNanoseconds.append(started.duration(to: .now).nanoseconds)
        // Within the wire's bounds, so that a long way round never makes a step that the next stage refuses.
        next.wireBytes = min(next.wireBytes + UInt64(frame.byteCount), UInt64(WireLimits.amountMax))
        let link = try stage.link
        next.wantsEcho = link.wantsEcho(now: .now)
        if let result {
            try send(result, of: next, from: stage, to: link)
        } else {
            next.stage += 1
            try send(next, &output, to: link)
        }
    }

    private func send(_ step: StepMessage, _ payload: inout Message, to link: DataLink) throws(StepProblem) {
        let frame: [UInt8]
        do throws(WireError) {
            frame = try payload.withBytes { (bytes) throws(WireError) in try step.frame(payload: bytes) }
        } catch {
            throw StepProblem("\(error)")
        }
        do throws(ZeroMQError) {
            try link.send(frame, payload: &payload, step: step.step.id, wantsEcho: step.wantsEcho, now: .now)
        } catch {
            throw StepProblem("next stage: \(error)")
        }
    }

    private func send(
        _ result: StepResult, of step: StepMessage, from stage: EpochStage, to link: DataLink
    ) throws(StepProblem) {
        var result = result
        result.stageNanoseconds = step.stageNanoseconds
        // The first of several messages says little about when the last one came.
        let wantsEcho = step.wantsEcho && result.logits.isEmpty
        let message = StepResultMessage(
            run: step.run, epoch: step.epoch, stage: step.stage, result: result, wireBytes: step.wireBytes,
            wantsEcho: wantsEcho)
        do {
            var none = Message()
            try link.send(try message.frame(), payload: &none, step: result.step, wantsEcho: wantsEcho, now: .now)
            for range in message.logitsPieces {
                let (frame, payload) = try message.result.logits[range].withUnsafeBytes { bytes in
                    (try message.logitsFrame(range, payload: bytes), Array(bytes))
                }
                try link.send(frame, payload: payload, step: result.step, until: .now + Self.logitsDeadline)
            }
        } catch {
            throw StepProblem("results: \(error)")
        }
    }

    /// Logits may be more than the queue holds: these sends wait for the coordinator to read.
    private static let logitsDeadline = Duration.seconds(10)
}

extension EpochStage {
    /// Of an active epoch, whose links are all made.
    fileprivate var link: DataLink {
        get throws(StepProblem) {
            guard let next else { throw StepProblem("next stage: not connected") }
            return next
        }
    }
}

/// Why a step ended at this stage; one line.
struct StepProblem: Error, Sendable {
    let message: String

    init(_ message: String) { self.message = message }
}

extension Duration {
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
