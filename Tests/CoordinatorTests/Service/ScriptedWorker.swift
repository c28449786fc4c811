import Links
import Sharding
import Synchronization
import Threads
import ZeroMQ

/// A worker over real sockets that computes nothing: it answers each step by a script.
final class ScriptedWorker: Sendable {
    struct Script: Sendable {
        var version = ProtocolVersion.current
        var instance: UInt64 = 1
        /// nil: the step is swallowed. An epoch's first token, which shows that it is ready, is given without asking.
        var answer: @Sendable (Step) -> StepResult?

        /// The token after position p is p + 1; logits of a row are its position.
        static func counting(vocabularySize: Int) -> Script {
            Script { step in
                StepResult(
                    step: step.id,
                    sequences: step.rows.filter { $0.output == .token }.map {
                        SequenceResult(
                            sequence: $0.sequence, position: $0.position + 1,
                            outcome: .tokens([AcceptedToken(token: TokenID($0.position + 1), logprob: 0)]))
                    },
                    logits: step.rows.filter { $0.output == .logits }.flatMap {
                        Array(repeating: Float($0.position), count: vocabularySize)
                    })
            }
        }
    }

    private let commands: Mailbox<Void>
    private let thread: OwnedThread
    /// Replies to its hellos, in order.
    let replies: AsyncStream<HelloReply>

    init(_ name: String, control: Endpoint, script: Script) throws {
        let wakeup = try Wakeup()
        let commands = Mailbox<Void>(capacity: 1, wakeup: wakeup)
        self.commands = commands
        let (replies, continuation) = AsyncStream<HelloReply>.makeStream()
        self.replies = replies
        thread = OwnedThread(name: name) {
            do {
                let body = try Body(name, control: control, script: script, wakeup: wakeup, replies: continuation)
                while commands.takeAll().isEmpty { try body.turn() }
            } catch {
                print("scripted worker \(name): \(error)")
            }
            continuation.finish()
        }
    }

    /// Gone, as if it were killed: nothing more comes from it.
    func stop() {
        try? commands.post(())
        thread.join()
    }
}

/// The worker on its thread.
private final class Body {
    private let name: String
    private let script: ScriptedWorker.Script
    private let loop: SocketLoop
    private let control: LoopSocket
    private let data: LoopSocket
    private let dataEndpoint: Endpoint
    private let replies: AsyncStream<HelloReply>.Continuation
    private var next: LoopSocket?
    private var run = RunID.none
    private var stageCount = 1
    /// Whose first token was given.
    private var probedEpoch: Epoch?
    private var lastBeat = ContinuousClock.now

    init(
        _ name: String, control endpoint: Endpoint, script: ScriptedWorker.Script, wakeup: Wakeup,
        replies: AsyncStream<HelloReply>.Continuation
    ) throws {
        self.name = name
        self.script = script
        self.replies = replies
        loop = SocketLoop(context: try Context(), wakeup: wakeup)
        let options = SocketOptions(linger: .zero)
        control = try loop.open(.dealer, options: options)
        data = try loop.open(.router, options: options)
        try control.socket.connect(endpoint)
        dataEndpoint = try data.socket.bind(.loopback())
        try hello()
    }

    private func hello() throws {
        try report(
            .hello(
                WorkerHello(
                    version: script.version, name: name, instance: script.instance, processID: 1,
                    dataEndpoint: dataEndpoint.description, device: "cpu", threadCount: 1,
                    memoryTotalBytes: 1 << 34, memoryAvailableBytes: 1 << 33, bytesPerSecond: 1e10)))
    }

    private func report(_ report: WorkerReport) throws {
        _ = try control.socket.send(Message(try report.frame(run: run)))
    }

    func turn() throws {
        try loop.wait(until: .now + .milliseconds(50))
        while let message = try control.socket.receive() {
            let order = try message.header.withBytes { bytes in
                let frame = try CheckedFrame(bytes)
                run = frame.prefix.run
                return try CoordinatorOrder(frame)
            }
            try obey(order)
        }
        while let message = try data.socket.receive() {
            let (probe, step) = try message.header.withBytes { header in
                try message.payload.withBytes { payload in
                    let frame = try CheckedFrame(header, payload: payload)
                    return frame.type == .linkProbe
                        ? (try LinkProbe(frame), nil) : (nil, try StepMessage(frame))
                }
            }
            if let probe {
                let echo = LinkEcho(answering: .linkProbe, number: probe.number)
                try LinkAnswer.send(echo, to: message.sender, over: data.socket)
            }
            if let step { try answer(step) }
        }
        guard lastBeat.duration(to: .now) > .milliseconds(100) else { return }
        lastBeat = .now
        try report(
            .heartbeat(
                WorkerHeartbeat(
                    epoch: .none, stepsReceived: 0, stepsCompleted: 0, layersCompleted: 0, memoryAvailableBytes: 0)))
    }

    private func obey(_ order: CoordinatorOrder) throws {
        switch order {
        case .helloReply(let reply):
            replies.yield(reply)
        case .identify:
            try hello()
        case .measureLinks(let order):
            try report(
                .linksMeasured(
                    LinkFindings(
                        number: order.number,
                        results: order.targets.map {
                            LinkFindings.Result(name: $0.name, finding: .measured(.assumedLocal))
                        })))
        case .load(let order):
            stageCount = order.stageCount
            if let next { loop.close(next) }
            let socket = try loop.open(.dealer, options: SocketOptions(linger: .zero), monitored: true)
            if let endpoint = Endpoint(order.stages[0].nextEndpoint) { try socket.socket.connect(endpoint) }
            while try socket.nextConnectionEvent().map({ if case .ready = $0 { false } else { true } }) ?? true {
                try loop.wait(until: .now + .milliseconds(50))
            }
            next = socket
            try report(.loaded(Loaded(epoch: order.epoch, weightBytes: 1, cacheBytes: 1)))
        case .activate(let epoch):
            try report(.activated(epoch))
        case .drain(let epoch):
            try report(.drained(epoch))
        case .heartbeat, .stop:
            break
        }
    }

    private func answer(_ message: StepMessage) throws {
        let isProbe = probedEpoch != message.epoch
        if message.step.rows.contains(where: { $0.output == .token }) { probedEpoch = message.epoch }
        let answering = isProbe ? ScriptedWorker.Script.counting(vocabularySize: 0) : script
        guard let next, let result = answering.answer(message.step) else { return }
        let reply = StepResultMessage(
            run: message.run, epoch: message.epoch, stage: stageCount - 1, result: result, wireBytes: 1000)
        _ = try next.socket.send(Message(try reply.frame()))
        for piece in reply.logitsPieces {
            let floats = Array(result.logits[piece])
            let frame = try floats.withUnsafeBytes { try reply.logitsFrame(piece, payload: $0) }
            let bytes = floats.withUnsafeBytes { Array($0) }
            _ = try next.socket.send(Message(frame), payload: Message(bytes))
        }
    }
}
