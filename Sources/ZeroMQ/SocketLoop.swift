import CZeroMQ
import Glibc

/// The sockets of one thread, and its way to wait for all of them, a deadline, and other threads at once.
///
/// It is made on its thread and never leaves it; other threads reach that thread through `Mailbox`es that share the
/// loop's ``Wakeup``. A thread's loop reads:
///
///     while !stopping {
///         try loop.wait(until: deadline)
///         for value in mailbox.takeAll() { … }
///         while let message = try control.socket.receive() { … }
///     }
package final class SocketLoop {
    package typealias Instant = ContinuousClock.Instant

    package let context: Context
    package let wakeup: Wakeup
    private var sockets: [LoopSocket] = []
    // The wakeup first, then each socket, then the monitors.
    private var items: [zmq_pollitem_t] = []
    private var monitorStart = 0
    private var needsItems = true

    package init(context: Context, wakeup: Wakeup) {
        self.context = context
        self.wakeup = wakeup
    }

    /// Makes a socket that `wait` watches.
    package func open(
        _ kind: SocketKind, options: SocketOptions = SocketOptions(), monitored: Bool = false
    ) throws(ZeroMQError) -> LoopSocket {
        let socket = LoopSocket(
            try Socket(kind, in: context, options: options), isMonitored: monitored,
            connectsAgainAfter: options.reconnectAfterMax, connectionsMax: options.connectionsMax)
        if monitored || kind != .pair {
            socket.monitor = try SocketMonitor(of: socket.socket, onlyForLoop: !monitored)
        }
        sockets.append(socket)
        needsItems = true
        return socket
    }

    /// Watches a socket that was made elsewhere.
    func adopt(_ socket: consuming Socket) -> LoopSocket {
        let socket = LoopSocket(socket, isMonitored: false, connectsAgainAfter: .zero, connectionsMax: .max)
        sockets.append(socket)
        needsItems = true
        return socket
    }

    /// No longer watches the socket; it closes when its last owner lets go of it.
    package func close(_ socket: LoopSocket) {
        sockets.removeAll { $0 === socket }
        needsItems = true
    }

    /// Waits until a message or a connection event can be read, the wakeup is signalled, or the time has come.
    ///
    /// What is ready need not be read at once: the next wait returns immediately then.
    package func wait(until deadline: Instant) throws(ZeroMQError) {
        if needsItems { makeItems() }
        while true {
            let now = ContinuousClock.now
            let left = max(.zero, now.duration(to: deadline))
            var timeout = max(.zero, min(left, now.duration(to: try connectAgain(at: now) ?? deadline)))
            if sockets.contains(where: \.hasEvents) { timeout = .zero }
            let count = zmq_poll(&items, Int32(items.count), Int(timeout.millisecondsRoundedUp))
            if count < 0 {
                guard zmq_errno() == EINTR else { throw .last("poll") }
                continue
            }
            if items[0].revents != 0 { wakeup.reset() }
            // A monitor's news ends the wait where it is for the socket's owner.
            let newsCount = items[monitorStart...].count { $0.revents != 0 }
            if newsCount > 0 { for socket in sockets { try socket.readMonitor() } }
            if count > newsCount || left == .zero || sockets.contains(where: \.hasEvents) { return }
        }
    }

    /// Waits until the wakeup is signalled or the time has come, whatever the sockets have to be read.
    package func waitForWakeup(until deadline: Instant) throws(ZeroMQError) {
        let left = max(.zero, ContinuousClock.now.duration(to: deadline))
        var item = zmq_pollitem_t(socket: nil, fd: wakeup.descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
        let count = zmq_poll(&item, 1, Int(left.millisecondsRoundedUp))
        guard count >= 0 || zmq_errno() == EINTR else { throw .last("poll") }
        if count > 0 { wakeup.reset() }
    }

    /// Connects anew where libzmq has given up and the time for it has come; returns when the next one's will.
    private func connectAgain(at now: Instant) throws(ZeroMQError) -> Instant? {
        var next: Instant?
        for socket in sockets {
            guard let time = socket.connectsAgainAt else { continue }
            if time <= now {
                try socket.connectAgain()
            } else {
                next = min(next ?? time, time)
            }
        }
        return next
    }

    private func makeItems() {
        items = [zmq_pollitem_t(socket: nil, fd: wakeup.descriptor, events: Int16(ZMQ_POLLIN), revents: 0)]
        items += sockets.map { Self.item($0.socket.handle) }
        monitorStart = items.count
        items += sockets.compactMap(\.monitor).map { Self.item($0.socket.handle) }
        needsItems = false
    }

    private static func item(_ handle: UnsafeMutableRawPointer) -> zmq_pollitem_t {
        zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }
}

/// A socket of a `SocketLoop`, with its monitor.
package final class LoopSocket {
    /// Events that wait for the socket's owner, beyond which they stay in the monitor.
    private static let eventsMax = 10_000

    package let socket: Socket
    // Also of sockets whose owner asked for none: tells which descriptors are closed, and when libzmq gives up.
    fileprivate var monitor: SocketMonitor?
    private let isMonitored: Bool
    private var events: ArraySlice<ConnectionEvent> = []
    private let connectsAgainAfter: Duration
    // libzmq connects again after a broken connection, and says so; not after a refused or garbled one.
    fileprivate private(set) var connectsAgainAt: ContinuousClock.Instant?

    private let connectionsMax: Int
    // Descriptors of the connections that peers have made, oldest first.
    private var accepted: [Int32] = []

    fileprivate init(
        _ socket: consuming Socket, isMonitored: Bool, connectsAgainAfter: Duration, connectionsMax: Int
    ) {
        self.connectionsMax = connectionsMax
        self.socket = socket
        self.isMonitored = isMonitored
        self.connectsAgainAfter = connectsAgainAfter
    }

    deinit {
        if monitor != nil { SocketMonitor.stop(socket) }
    }

    /// The next connection event; nil when none waits or the socket is not monitored.
    package func nextConnectionEvent() throws(ZeroMQError) -> ConnectionEvent? {
        if events.isEmpty { try readMonitor() }
        return events.popFirst()
    }

    /// Ends the connections by which messages of these peers have come; returns how many.
    ///
    /// Take the peers off the list first, or they connect again. What they have sent and still send is dropped on
    /// receiving anyway. A connection by which no message was received yet is not known and stands on, without effect.
    /// Between the last look at a descriptor and its end lies a moment in which libzmq could close it and the system
    /// give it to another peer, which then would have to connect again.
    @discardableResult
    package func endConnections(of keys: Set<CurvePublicKey>) throws(ZeroMQError) -> Int {
        guard let peers = socket.peers else { return 0 }
        try readMonitor()
        return peers.end(of: keys)
    }

    fileprivate var hasEvents: Bool { !events.isEmpty }

    fileprivate func connectAgain() throws(ZeroMQError) {
        connectsAgainAt = nil
        try socket.connectAgain()
    }

    /// Takes what the monitor has: some of it is for the owner, the rest for the loop.
    fileprivate func readMonitor() throws(ZeroMQError) {
        while events.count < Self.eventsMax, let change = try monitor?.nextChange() {
            if let descriptor = change.accepted { noteAccepted(descriptor) }
            if let descriptor = change.closing {
                accepted.removeAll { $0 == descriptor }
                socket.peers?.forget(descriptor)
                if socket.targets.all.count == 1 { connectsAgainAt = .now + connectsAgainAfter }
            }
            if change.isRetrying { connectsAgainAt = nil }
            if isMonitored, let event = change.event { events.append(event) }
        }
    }
    /// Of too many, the oldest that has sent nothing goes: a peer that belongs here does so at once. Where nobody proves
    /// who he is, the newest goes.
    private func noteAccepted(_ descriptor: Int32) {
        accepted.append(descriptor)
        guard accepted.count > connectionsMax else { return }
        let victim = socket.peers.flatMap { peers in accepted.first { !peers.knows($0) } } ?? descriptor
        accepted.removeAll { $0 == victim }
        // Closed meanwhile, and perhaps used again: then for something that is not this socket's.
        guard let port = SocketAddress(localOf: victim)?.port, socket.boundPorts.all.contains(port) else { return }
        shutdown(victim, Int32(SHUT_RDWR))
    }
}
