import CZeroMQ

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
    // The wakeup first, then each socket, and after it its monitor where it has one.
    private var items: [zmq_pollitem_t] = []
    private var needsItems = true

    package init(context: Context, wakeup: Wakeup) {
        self.context = context
        self.wakeup = wakeup
    }

    /// Makes a socket that `wait` watches.
    package func open(
        _ kind: SocketKind, options: SocketOptions = SocketOptions(), monitored: Bool = false
    ) throws(ZeroMQError) -> LoopSocket {
        let socket = LoopSocket(try Socket(kind, in: context, options: options))
        if monitored { socket.monitor = try SocketMonitor(of: socket.socket) }
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
            let left = max(.zero, ContinuousClock.now.duration(to: deadline))
            let count = zmq_poll(&items, Int32(items.count), Int(left.millisecondsRoundedUp))
            if count < 0 {
                guard zmq_errno() == EINTR else { throw .last("poll") }
                continue
            }
            if items[0].revents != 0 { wakeup.reset() }
            if count > 0 || left == .zero { return }
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

    private func makeItems() {
        items = [zmq_pollitem_t(socket: nil, fd: wakeup.descriptor, events: Int16(ZMQ_POLLIN), revents: 0)]
        for socket in sockets {
            items.append(Self.item(socket.socket.handle))
            if let monitor = socket.monitorHandle { items.append(Self.item(monitor)) }
        }
        needsItems = false
    }

    private static func item(_ handle: UnsafeMutableRawPointer) -> zmq_pollitem_t {
        zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }
}

/// A socket of a `SocketLoop`, with its monitor.
package final class LoopSocket {
    package let socket: Socket
    fileprivate var monitor: SocketMonitor?

    fileprivate init(_ socket: consuming Socket) { self.socket = socket }

    fileprivate var monitorHandle: UnsafeMutableRawPointer? { monitor?.socket.handle }

    /// The next connection event; nil when none waits or the socket is not monitored.
    package func nextConnectionEvent() throws(ZeroMQError) -> ConnectionEvent? {
        try monitor?.next()
    }
}
