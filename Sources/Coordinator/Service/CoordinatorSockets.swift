import Links
import Sharding
import ZeroMQ

/// The sockets themselves, on their thread: frames in, events out; commands in, frames out.
final class CoordinatorSockets {
    private let options: SocketThread.Options
    private let loop: SocketLoop
    /// nil: connections are in clear.
    private let admission: Admission?
    private let control: LoopSocket
    private let results: LoopSocket
    /// Whose results are taken.
    private var resultsKeys: Set<CurvePublicKey> = []
    private var firstStage: FirstStage?
    private var survey: LinkSurvey?

    private struct FirstStage {
        let link: DataLink
        let epoch: Epoch
        /// Whether it was told that it takes steps.
        var isTold = false
        var lastFailure: String?
    }

    private let mailbox: Mailbox<SocketThread.Command>
    private let events: EventQueue
    private var assembler: StepResultAssembler
    private var lastRejection: ContinuousClock.Instant?
    private let endpoints: SocketThread.Endpoints

    /// Frames read from one socket before the other has its turn.
    private static let framesPerTurnMax = 64
    /// How soon a full queue of events is looked at again.
    private static let fullPause = Duration.milliseconds(2)

    /// The body of the thread.
    static func run(
        _ options: SocketThread.Options, wakeup: Wakeup, mailbox: Mailbox<SocketThread.Command>,
        events: EventQueue,
        bound: (Result<SocketThread.Bound, ZeroMQError>) -> Void
    ) {
        defer { events.finish() }
        let sockets: CoordinatorSockets
        do {
            sockets = try CoordinatorSockets(options, wakeup: wakeup, mailbox: mailbox, events: events)
        } catch {
            bound(.failure(error))
            return
        }
        bound(
            .success(
                SocketThread.Bound(
                    endpoints: sockets.endpoints, context: sockets.loop.context, admission: sockets.admission)))
        do {
            try sockets.serve()
        } catch {
            events.yield(.broken("\(error)"))
        }
    }

    private init(
        _ options: SocketThread.Options, wakeup: Wakeup, mailbox: Mailbox<SocketThread.Command>,
        events: EventQueue
    ) throws(ZeroMQError) {
        self.options = options
        self.mailbox = mailbox
        self.events = events
        let context = try Context()
        loop = SocketLoop(context: context, wakeup: wakeup)
        if options.keys != nil {
            admission = try Admission(in: context) { refusal in events.yield(.refused(refusal)) }
            admission?.allow(options.admitted, in: .control)
        } else {
            admission = nil
        }
        // Reports are small; results carry logits in pieces of a mebibyte. Of two ends one pings, and tells the other
        // when to give up: the coordinator on control, the last stage on results.
        var controlOptions = SocketOptions(
            frameBytesMax: 4 << 20, sendQueueMax: 256, heartbeat: options.pings, receiveBytesMax: 64 << 20)
        controlOptions.security = options.security(.control)
        control = try loop.open(.router, options: controlOptions)
        var resultsOptions = SocketOptions(
            frameBytesMax: WireLimits.dataHeaderBytesMax + FramePrefix.byteCount, heartbeat: nil,
            receiveBytesMax: 512 << 20)
        resultsOptions.security = options.security(.results)
        results = try loop.open(.router, options: resultsOptions)
        endpoints = SocketThread.Endpoints(
            control: try control.socket.bind(options.control), results: try results.socket.bind(options.results))
        assembler = StepResultAssembler(logitCountMax: options.logitCountMax)
    }

    private func serve() throws(ZeroMQError) {
        while true {
            let before = ContinuousClock.now
            try loop.wait(until: min(before + .seconds(1), survey?.deadline ?? before + .seconds(1)))
            let now = ContinuousClock.now
            for command in mailbox.takeAll() {
                guard try perform(command) else { return }
            }
            if events.isFull {
                // What can be read would end every wait for the sockets at once.
                try loop.waitForWakeup(until: .now + Self.fullPause)
                continue
            }
            try receiveReports()
            try receiveResults(hasWaited: now - before >= LinkAnswer.waitMin)
            try watchFirstStage(now: now)
            try watchSurvey(now: now)
        }
    }

    // MARK: Out

    /// False when the thread is to end.
    private func perform(_ command: SocketThread.Command) throws(ZeroMQError) -> Bool {
        switch command {
        case .order(let frame, let peer):
            // A peer that is gone, or does not read, is noticed by its silence.
            _ = try control.socket.send(to: peer.bytes, Message(frame))
        case .connect(let epoch, let endpoint, let key):
            // One that cannot be connected to is noticed by its deadline, and is no fault of this thread.
            do { try connect(epoch, endpoint, key) } catch { reject("first stage: \(error)") }
        case .admitResults(let keys):
            resultsKeys = keys
            admission?.allow(keys, in: .results)
        case .measure(let order):
            survey?.close()
            survey = LinkSurvey(order, in: loop, run: options.run, heartbeat: options.pings, now: .now) { end in
                target(end.endpoint, end.key)
            }
        case .admit(let keys, let ended):
            admission?.allow(keys, in: .control)
            resultsKeys.subtract(ended)
            admission?.allow(resultsKeys, in: .results)
            try control.endConnections(of: ended)
            try results.endConnections(of: ended)
        case .step(let step):
            send(step)
        case .stop:
            return false
        }
        return true
    }

    private func connect(_ epoch: Epoch, _ endpoint: Endpoint, _ key: CurvePublicKey?) throws(ZeroMQError) {
        firstStage?.link.close()
        firstStage = nil
        switch target(endpoint.description, key) {
        case .success(let target):
            let link = try DataLink(
                to: target, in: loop, run: options.run, epoch: epoch, heartbeat: options.pings, linger: .zero)
            firstStage = FirstStage(link: link, epoch: epoch)
            assembler.forget(before: epoch, run: options.run)
        case .failure(let problem): reject("first stage: \(problem.message)")
        }
    }

    /// A worker's data socket. A wildcard is on this machine.
    private func target(_ text: String, _ key: CurvePublicKey?) -> Result<LinkTarget, LinkProblem> {
        guard let endpoint = Endpoint(text), endpoint.port > 0 else {
            return .failure(LinkProblem("\(text): expected an endpoint tcp://HOST:PORT"))
        }
        let resolved = endpoint.isWildcard ? .loopback(port: endpoint.port) : endpoint
        guard let own = options.keys else {
            return .success(LinkTarget(endpoint: resolved, security: .none))
        }
        guard let key else { return .failure(LinkProblem("\(resolved): expected its key, got none")) }
        return .success(LinkTarget(endpoint: resolved, security: .client(own, server: key)))
    }

    private func send(_ step: SocketThread.StepFrame) {
        guard let firstStage, firstStage.epoch == step.epoch else { return }
        var payload = Message()
        if let hidden = step.hidden { payload = Message(sharing: hidden.bytes, release: { _ = hidden }) }
        do throws(ZeroMQError) {
            try firstStage.link.send(
                step.frame, payload: &payload, step: step.id, wantsEcho: step.wantsEcho, now: .now)
        } catch {
            events.yield(.notSent(step: step.id, step.epoch, "\(error)"))
        }
    }

    private func watchFirstStage(now: ContinuousClock.Instant) throws(ZeroMQError) {
        guard var stage = firstStage else { return }
        for change in try stage.link.watch(now: now) {
            switch change {
            case .connected:
                // Again, where it is known what it gives.
                if let estimate = stage.link.estimate { events.yield(.connected(stage.epoch, estimate)) }
            case .disconnected: events.yield(.disconnected(stage.epoch))
            case .measured(let estimate):
                events.yield(
                    stage.isTold ? .linkMeasured(stage.epoch, estimate) : .connected(stage.epoch, estimate))
                stage.isTold = true
            }
        }
        if let failure = stage.link.failure, failure != stage.lastFailure { reject("first stage: \(failure)") }
        stage.lastFailure = stage.link.failure
        firstStage = stage
    }

    private func watchSurvey(now: ContinuousClock.Instant) throws(ZeroMQError) {
        guard let findings = try survey?.watch(now: now) else { return }
        survey?.close()
        survey = nil
        events.yield(.linksMeasured(findings))
    }

    // MARK: In

    private func receiveReports() throws(ZeroMQError) {
        for _ in 0..<Self.framesPerTurnMax {
            guard let message = try control.socket.receive() else { return }
            let sender = PeerID(message.sender, key: message.peerKey)
            let event = Self.decode(message) { (frame) throws(WireError) -> SocketThread.Event in
                .report(try WorkerReport(frame), sender, frame.prefix.run)
            }
            switch event {
            case .success(let event): events.yield(event)
            case .failure(let error): reject("control: \(error)")
            }
        }
    }

    /// - Parameter hasWaited: this thread had nothing else to do when the first message came.
    private func receiveResults(hasWaited: Bool) throws(ZeroMQError) {
        for index in 0..<Self.framesPerTurnMax {
            guard let message = try results.socket.receive() else { return }
            let outcome = Self.decode(message) { (frame) throws(WireError) -> (SocketThread.Event?, LinkEcho?) in
                try self.take(frame)
            }
            switch outcome {
            case .success((let event, let echo)):
                if let echo, echo.answered == .linkProbe || (hasWaited && index == 0) {
                    try LinkAnswer.send(echo, to: message.sender, over: results.socket)
                }
                if let event { events.yield(event) }
            case .failure(let error): reject("results: \(error)")
            }
        }
    }

    /// What a message of the results socket means, and how it wants to be answered.
    private func take(_ frame: CheckedFrame) throws(WireError) -> (SocketThread.Event?, LinkEcho?) {
        if frame.type == .linkProbe {
            let probe = try LinkProbe(frame)
            return (nil, probe.run == options.run ? LinkEcho(answering: .linkProbe, number: probe.number) : nil)
        }
        // Until a first stage is connected nothing was sent that could have a result.
        guard let epoch = firstStage?.epoch,
            let result = try assembler.take(frame, run: options.run, epoch: epoch)
        else { return (nil, nil) }
        let last = frame.byteCount + 4 * result.result.logits.count
        return (
            .result(result, wireBytes: saturatingSum(Int(clamping: result.wireBytes), last)),
            result.wantsEcho ? LinkEcho(answering: .stepResult, number: result.result.step) : nil
        )
    }

    private static func decode<Value>(
        _ message: borrowing ReceivedMessage, _ body: (CheckedFrame) throws(WireError) -> Value
    ) -> Result<Value, WireError> {
        Result { () throws(WireError) -> Value in
            guard (1...2).contains(message.frameCount) else {
                throw WireError(
                    .length, message: "message", field: "frames", expected: "1 or 2", got: "\(message.frameCount)")
            }
            return try message.header.withBytes { (header) throws(WireError) -> Value in
                try message.payload.withBytes { (payload) throws(WireError) -> Value in
                    try body(try CheckedFrame(header, payload: payload))
                }
            }
        }
    }

    /// Strangers can send much: one line a second is enough to know of it.
    private func reject(_ reason: String) {
        let now = ContinuousClock.now
        if let lastRejection, lastRejection.duration(to: now) < .seconds(1) { return }
        lastRejection = now
        events.yield(.rejected(reason))
    }
}
