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
    private var resultsKey: CurvePublicKey?
    private var firstStage: (socket: LoopSocket, epoch: Epoch)?
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
            admission?.allow(options.admitted, in: .weights)
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
        results = try loop.open(.pull, options: resultsOptions)
        endpoints = SocketThread.Endpoints(
            control: try control.socket.bind(options.control), results: try results.socket.bind(options.results))
        assembler = StepResultAssembler(logitCountMax: options.logitCountMax)
    }

    private func serve() throws(ZeroMQError) {
        while true {
            try loop.wait(until: .now + .seconds(1))
            for command in mailbox.takeAll() {
                guard try perform(command) else { return }
            }
            if events.isFull {
                // What can be read would end every wait for the sockets at once.
                try loop.waitForWakeup(until: .now + Self.fullPause)
                continue
            }
            try receiveReports()
            try receiveResults()
            try watchFirstStage()
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
        case .admitResults(let key):
            resultsKey = key
            admission?.allow([key], in: .results)
        case .admit(let keys, let ended):
            admission?.allow(keys, in: .control)
            admission?.allow(keys, in: .weights)
            if let resultsKey, ended.contains(resultsKey) { admission?.allow([], in: .results) }
            try control.endConnections(of: ended)
            try results.endConnections(of: ended)
        case .step(let id, let epoch, let frame, let hidden):
            try send(id, epoch, frame, hidden)
        case .stop:
            return false
        }
        return true
    }

    private func connect(_ epoch: Epoch, _ endpoint: Endpoint, _ key: CurvePublicKey?) throws(ZeroMQError) {
        if let firstStage { loop.close(firstStage.socket) }
        firstStage = nil
        var socketOptions = SocketOptions(sendQueueMax: 256, linger: .zero, heartbeat: options.pings)
        if let own = options.keys {
            guard let key else { return reject("first stage: \(endpoint): expected its key, got none") }
            socketOptions.security = .client(own, server: key)
        }
        let socket = try loop.open(.push, options: socketOptions, monitored: true)
        try socket.socket.connect(endpoint)
        firstStage = (socket, epoch)
        assembler.forget(before: epoch, run: options.run)
    }

    private func send(_ id: UInt64, _ epoch: Epoch, _ frame: [UInt8], _ hidden: HiddenStates?) throws(ZeroMQError) {
        guard let firstStage, firstStage.epoch == epoch else { return }
        let outcome: SendOutcome
        if let hidden {
            let payload = Message(sharing: hidden.bytes, release: { _ = hidden })
            outcome = try firstStage.socket.socket.send(Message(frame), payload: payload)
        } else {
            outcome = try firstStage.socket.socket.send(Message(frame))
        }
        switch outcome {
        case .sent: break
        case .wouldBlock, .unknownPeer: events.yield(.notSent(step: id, epoch, "it takes no messages"))
        }
    }

    private func watchFirstStage() throws(ZeroMQError) {
        guard let firstStage else { return }
        while let event = try firstStage.socket.nextConnectionEvent() {
            switch event {
            case .ready: events.yield(.connected(firstStage.epoch))
            case .disconnected: events.yield(.disconnected(firstStage.epoch))
            case .handshakeFailed(let peer, let reason): reject("\(peer): handshake: \(reason)")
            case .connected, .accepted: break
            }
        }
    }

    // MARK: In

    private func receiveReports() throws(ZeroMQError) {
        for _ in 0..<Self.framesPerTurnMax {
            guard let message = try control.socket.receive() else { return }
            let sender = PeerID(message.sender, key: message.peerKey)
            let event = Self.decode(message) { (frame) throws(WireError) -> SocketThread.Event in
                .report(try WorkerReport(frame), sender, frame.prefix.run)
            }
            yield(event, from: "control")
        }
    }

    private func receiveResults() throws(ZeroMQError) {
        for _ in 0..<Self.framesPerTurnMax {
            guard let message = try results.socket.receive() else { return }
            var pieces: Result<SocketThread.Event?, WireError> = .success(nil)
            pieces = Self.decode(message) { (frame) throws(WireError) -> SocketThread.Event? in
                // Until a first stage is connected nothing was sent that could have a result.
                guard let epoch = self.firstStage?.epoch,
                    let result = try self.assembler.take(frame, run: self.options.run, epoch: epoch)
                else { return nil }
                let last = frame.byteCount + 4 * result.result.logits.count
                return .result(result, wireBytes: saturatingSum(Int(clamping: result.wireBytes), last))
            }
            switch pieces {
            case .success(let event?): yield(.success(event), from: "results")
            case .success(nil): break
            case .failure(let error): yield(.failure(error), from: "results")
            }
        }
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

    private func yield(_ event: Result<SocketThread.Event, WireError>, from place: String) {
        switch event {
        case .success(let event): events.yield(event)
        case .failure(let error): reject("\(place): \(error)")
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
