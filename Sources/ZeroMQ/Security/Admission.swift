import CZeroMQ
import Synchronization
import Threads

/// Decides which peers may connect to the secured sockets of a context: its ZAP handler (ZeroMQ RFC 27).
///
/// It is made before the first of them binds, and answers on a thread of its own: only a peer that proves a key on the
/// list of the socket's domain is let in. Sockets that have bound keep it running. Without it nobody is let in.
///
///     let admission = try Admission(in: context) { refusal in … }
///     admission.allow(keysOfWorkers, in: .control)
package final class Admission: Sendable {
    static let endpoint = "inproc://zeromq.zap.01"

    // Keeps the context alive, which knows it weakly.
    private let context: Context
    private let lists = AdmissionLists()
    private let run: AdmissionRun
    private let thread: OwnedThread

    /// Starts it, with empty lists.
    ///
    /// - Parameter onRefusal: told of peers that were not let in, on the admission's thread: at most once a second for
    ///   each key, and 16 times in all. Must not wait. ``refusals`` counts every one.
    /// - Throws: ``ZeroMQError`` where the context has one already, or had one: there is no second.
    package init(
        in context: Context, onRefusal: @escaping @Sendable (AdmissionRefusal) -> Void = { _ in }
    ) throws(ZeroMQError) {
        try context.reserveAdmission()
        let socket = try Socket(.reply, in: context, options: SocketOptions(linger: .zero, heartbeat: nil))
        try socket.bind(text: Self.endpoint)
        let run = AdmissionRun(socket, wakeup: try Wakeup())
        thread = OwnedThread(name: "admission") { [lists] in
            run.serve(in: context, lists, onRefusal: onRefusal)
        }
        self.context = context
        self.run = run
        context.register(self)
    }

    /// Replaces a domain's list in one go; any thread. Keys that libzmq's manual prints are left out.
    ///
    /// Who is no longer listed cannot connect again, and what it still sends is dropped when it is received;
    /// ``LoopSocket/endConnections(of:)`` ends the connections that stand.
    package func allow(_ keys: Set<CurvePublicKey>, in domain: AdmissionDomain) { lists.allow(keys, in: domain) }

    /// Whether a domain's list has the key now; any thread.
    package func isListed(_ key: CurvePublicKey, in domain: AdmissionDomain) -> Bool {
        lists.isListed(key, in: domain)
    }

    /// How many peers were not let in so far; any thread.
    package var refusals: RefusalCounts { lists.refusals }

    /// False when it was stopped, or its socket failed.
    package var isRunning: Bool { run.isServing }

    /// Ends it and waits for its thread: from now on nobody is let in. Connections that stand stay.
    ///
    /// Not from `onRefusal`. In a forked child it does nothing.
    package func stop() {
        guard context.isInOwnProcess else { return }
        run.stop()
        thread.join()
    }

    deinit {
        // The thread sees it and ends on its own, and with its socket perhaps the context.
        if context.isInOwnProcess { run.stop() }
    }
}

/// What an admission and its thread share: its end, and at the beginning the socket, which changes threads once.
private final class AdmissionRun: Sendable {
    private let socket: Mutex<Socket?>
    private let wakeup: Wakeup
    private let stopping = Atomic(false)
    private let serving = Atomic(true)

    init(_ socket: consuming sending Socket, wakeup: Wakeup) {
        self.socket = Mutex(socket)
        self.wakeup = wakeup
    }

    var isServing: Bool { serving.load(ordering: .acquiring) }

    func stop() {
        stopping.store(true, ordering: .releasing)
        serving.store(false, ordering: .releasing)
        wakeup.signal()
    }

    /// The body of the thread. It ends when it is stopped, and when its socket or context has: then nobody is let in.
    func serve(in context: Context, _ lists: AdmissionLists, onRefusal: (AdmissionRefusal) -> Void) {
        defer { serving.store(false, ordering: .releasing) }
        guard let socket = socket.withLock({ $0.take() }) else { return }
        let loop = SocketLoop(context: context, wakeup: wakeup)
        let requests = loop.adopt(socket)
        while !stopping.load(ordering: .acquiring) {
            do {
                try loop.wait(until: .now + .seconds(60))
                try Self.answerAll(requests.socket, lists, onRefusal: onRefusal)
            } catch {
                return
            }
        }
    }

    private static func answerAll(
        _ socket: borrowing Socket, _ lists: AdmissionLists, onRefusal: (AdmissionRefusal) -> Void
    ) throws(ZeroMQError) {
        while let frames = try request(from: socket) {
            let (reply, report) = lists.answer(frames, at: .now)
            let replies = reply.frames
            for (index, bytes) in replies.enumerated() {
                var frame = Message(bytes)
                // A connection that has gone takes no reply; libzmq drops it.
                _ = try socket.send(&frame, more: index < replies.count - 1)
            }
            if let report { onRefusal(report) }
        }
    }

    /// The next request's frames; what is too much of it is left out, and makes it malformed.
    private static func request(from socket: borrowing Socket) throws(ZeroMQError) -> [[UInt8]]? {
        guard let first = try socket.receiveFrame() else { return nil }
        var frames = [bounded(first)]
        var more = first.hasMore
        while more, let frame = try socket.receiveFrame() {
            if frames.count < AdmissionRequest.framesMax { frames.append(bounded(frame)) }
            more = frame.hasMore
        }
        return frames
    }

    /// At most one byte more than a frame may have.
    private static func bounded(_ frame: borrowing Message) -> [UInt8] {
        frame.withBytes { Array($0.prefix(AdmissionRequest.frameBytesMax + 1)) }
    }
}
