import Foundation
import Logging
import Sharding
import ZeroMQ

/// The fetch's thread: sockets, part files and time around a `FetchMachine`.
final class FetchLoop {
    struct Order: Sendable {
        var wanted: [WantedBlob]
        var sources: [WeightFetch.Source]
        var store: TensorStore
        var settings: FetchMachine.Settings
    }

    /// Bytes that were received and wait to be hashed.
    private static let hashQueueBytesMax = 8 << 20
    private static let progressInterval = Duration.milliseconds(250)

    let order: Order
    let store: TensorStore
    var machine: FetchMachine
    var summary = WeightFetch.Summary()
    var parts: [Int: PartFile] = [:]
    let hashing: HashThread
    private let control: FetchControl
    private let arrivals: Arrivals
    private let handlers: WeightFetch.Handlers
    private let logger: Logger
    private let outcomes: Mailbox<HashThread.Outcome>
    private let loop: SocketLoop
    /// Waits for other threads alone.
    private let quietLoop: SocketLoop
    private var sockets: [LoopSocket?] = []
    /// By blob; handed over up to the first that is missing.
    private var entries: [StoreEntry?]
    private var handedOver = 0
    private let totalBytes: Int
    var doneBytes = 0
    private var nextProgress: ContinuousClock.Instant

    static func run(
        _ order: Order, control: FetchControl, arrivals: Arrivals, context: Context, logger: Logger,
        handlers: WeightFetch.Handlers
    ) -> Result<WeightFetch.Summary, WeightTransferError> {
        do throws(WeightTransferError) {
            let loop: FetchLoop
            do {
                loop = try FetchLoop(order, control, arrivals, context, logger, handlers)
            } catch {
                throw WeightTransferError(.network, error)
            }
            defer { loop.end() }
            try loop.fetch()
            return .success(loop.finalSummary())
        } catch {
            return .failure(error)
        }
    }

    private init(
        _ order: Order, _ control: FetchControl, _ arrivals: Arrivals, _ context: Context, _ logger: Logger,
        _ handlers: WeightFetch.Handlers
    ) throws(ZeroMQError) {
        self.order = order
        self.control = control
        self.arrivals = arrivals
        self.handlers = handlers
        self.logger = logger
        store = order.store
        machine = FetchMachine(
            order.wanted, sources: order.sources.map { ($0.name, $0.connectionCount) }, settings: order.settings,
            now: .now)
        loop = SocketLoop(context: context, wakeup: control.wakeup)
        quietLoop = SocketLoop(context: context, wakeup: control.wakeup)
        outcomes = Mailbox(capacity: 2 * order.wanted.count + 1024, wakeup: control.wakeup)
        entries = Array(repeating: nil, count: order.wanted.count)
        totalBytes = order.wanted.reduce(0) { saturatingSum($0, $1.byteCount) }
        nextProgress = .now
        hashing = try HashThread(
            context: context, bytesMax: Self.hashQueueBytesMax, outcomes: outcomes, receiver: control.wakeup)
    }

    private func fetch() throws(WeightTransferError) {
        try lookIntoStore()
        machine.start()
        if !machine.isDone { try connect() }
        while true {
            guard !control.isCancelled else {
                throw WeightTransferError(.cancelled, place: "fetch", expected: "to finish", got: "a request to stop")
            }
            for outcome in outcomes.takeAll() { try take(outcome) }
            for index in sockets.indices { try receive(over: index) }
            let now = ContinuousClock.now
            machine.tick(now: now)
            while let action = machine.next(now: now) { try perform(action) }
            summary.queuedBytesMax = max(summary.queuedBytesMax, machine.outstandingBytes + hashing.waitingBytes)
            reportProgress(now: now)
            if machine.isDone { return }
            try wait(now: now)
        }
    }

    /// Takes what the store has, and makes room for the rest before any of it is asked for.
    private func lookIntoStore() throws(WeightTransferError) {
        for (index, blob) in order.wanted.enumerated() where !control.isCancelled {
            guard let entry = try store.entry(blob.hash, byteCount: blob.byteCount) else { continue }
            summary.presentBytes += blob.byteCount
            doneBytes += blob.byteCount
            machine.found(index)
            arrived(index, entry)
            // A file that was touched since is hashed again, which takes its time.
            reportProgress(now: .now)
        }
        let missing = order.wanted.indices.filter { entries[$0] == nil }
        try store.makeRoom(for: missing.map { (order.wanted[$0].hash, order.wanted[$0].byteCount) })
    }

    private func connect() throws(WeightTransferError) {
        for (index, connection) in machine.connections.enumerated() {
            let source = order.sources[connection.source]
            let socket = try network { () throws(ZeroMQError) in
                try loop.open(.dealer, options: source.socket, monitored: true)
            }
            sockets.append(socket)
            do {
                try socket.socket.connect(source.endpoint)
            } catch {
                // The others may have it all.
                machine.broke(index, "\(error)")
            }
        }
    }

    private func wait(now: ContinuousClock.Instant) throws(WeightTransferError) {
        if hashing.hasRoom {
            let deadline = min(machine.nextDeadline(now: now), nextProgress)
            return try network { () throws(ZeroMQError) in try loop.wait(until: deadline) }
        }
        hashing.awaitRoom()
        if !hashing.hasRoom { try network { () throws(ZeroMQError) in try quietLoop.wait(until: nextProgress) } }
        machine.excuse(now: .now)
    }

    /// Takes what came over a connection, as long as there is room for what follows.
    private func receive(over index: Int) throws(WeightTransferError) {
        while hashing.hasRoom, let socket = sockets[index] {
            let message = try network { () throws(ZeroMQError) in try socket.socket.receive() }
            guard let message else {
                // What a lost connection had delivered was taken: now its loss may count.
                return try takeEvents(of: socket, index)
            }
            try take(HeldMessage(message), over: index)
        }
    }

    private func takeEvents(of socket: LoopSocket, _ index: Int) throws(WeightTransferError) {
        while let event = try network({ () throws(ZeroMQError) in try socket.nextConnectionEvent() }) {
            switch event {
            case .ready: machine.connected(index, now: .now)
            case .disconnected: machine.disconnected(index, now: .now)
            case .handshakeFailed(_, let reason): machine.handshakeFailed(index, reason)
            case .connected, .accepted: break
            }
        }
    }

    /// Sends a request; a connection that is just breaking will say so.
    func send(_ request: WeightRequest, over index: Int) throws(WeightTransferError) {
        guard let socket = sockets[index] else { return }
        let frame: [UInt8]
        do { frame = try request.frame() } catch { throw WeightTransferError(.network, error) }
        let outcome = try network { () throws(ZeroMQError) in try socket.socket.send(Message(frame)) }
        if outcome != .sent { machine.notSent(index, now: .now) }
    }

    func close(_ index: Int) {
        guard let socket = sockets[index] else { return }
        loop.close(socket)
        sockets[index] = nil
    }

    func dropped(_ source: Int, _ reason: String) {
        let name = order.sources[source].name
        logger.warning("a source of weights is given up: it \(reason)", metadata: ["source": "\(name)"])
        summary.dropped[name] = reason
    }

    private func network<Value: ~Copyable>(
        _ body: () throws(ZeroMQError) -> Value
    ) throws(WeightTransferError) -> Value {
        do { return try body() } catch { throw WeightTransferError(.network, error) }
    }

    // MARK: Results

    /// A blob is in the store: it is handed over when all before it are.
    func arrived(_ blob: Int, _ entry: StoreEntry) {
        entries[blob] = entry
        arrivals.add(entry)
        while handedOver < entries.count, let entry = entries[handedOver] {
            handlers.onReady(order.wanted[handedOver], entry)
            handedOver += 1
        }
    }

    private func reportProgress(now: ContinuousClock.Instant) {
        guard now >= nextProgress || machine.isDone else { return }
        nextProgress = now + Self.progressInterval
        let active = machine.connections.first { $0.isReady && !$0.outstanding.isEmpty }
        handlers.onProgress(
            WeightFetch.Progress(
                doneBytes: doneBytes, totalBytes: totalBytes, bytesPerSecond: machine.bytesPerSecond,
                source: active.map { order.sources[$0.source].name }))
    }

    private func finalSummary() -> WeightFetch.Summary {
        summary.duplicateBytes = machine.duplicateBytes
        summary.lossCount = machine.lossCount
        return summary
    }

    /// Lets go of everything; what was received of a blob stays, unless it is nothing.
    private func end() {
        hashing.stop()
        for part in parts.values {
            if part.receivedBytes == 0 { part.remove() } else { part.giveBack() }
        }
        parts = [:]
        for index in sockets.indices { close(index) }
    }
}
