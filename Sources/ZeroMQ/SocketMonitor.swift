import CZeroMQ
import Synchronization

/// Something that happened to a socket's connections.
package enum ConnectionEvent: Sendable, Hashable {
    /// A connection out stands (below the handshake).
    case connected(peer: String)
    /// A peer connected to us.
    case accepted(peer: String)
    /// Both ends speak the same protocol; messages can pass.
    case ready(peer: String)
    case disconnected(peer: String)
    /// The peer does not speak our protocol or may not; `reason` is for a log.
    case handshakeFailed(peer: String, reason: String)
}

/// A stream of one socket's connection events, read on the socket's thread.
///
/// It must be stopped before it goes: libzmq's I/O thread waits for ever with an event that nobody can take any more,
/// and with it all of the context's connections.
package final class SocketMonitor {
    /// What a monitor's message says, to the socket's owner and to its loop.
    struct Change {
        /// nil where it concerns the loop only.
        var event: ConnectionEvent?
        /// The descriptor of a connection that a peer has made.
        var accepted: Int32?
        /// The descriptor of a connection that has ended, which libzmq closes after it has said so.
        var closing: Int32?
        /// Whether libzmq will connect again on its own.
        var isRetrying = false
    }

    let socket: Socket
    private let admitsByKey: Bool

    /// libzmq's I/O thread stops where nobody takes its events, so a busy owner needs room: 13 MB when all is full.
    private static let waitingMax = 100_000
    private static let number = Atomic<Int>(0)
    private static let loopEvents = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_ACCEPTED
    private static let ownerEvents =
        ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
        | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    /// - Parameter onlyForLoop: leaves out what only the socket's owner wants to know.
    package init(of watched: borrowing Socket, onlyForLoop: Bool = false) throws(ZeroMQError) {
        let address = "inproc://monitor-\(Self.number.add(1, ordering: .relaxed).newValue)"
        let events = Self.loopEvents | (onlyForLoop ? 0 : Self.ownerEvents)
        guard zmq_socket_monitor(watched.handle, address, events) == 0 else { throw .last("monitor") }
        let options = SocketOptions(receiveQueueMax: Self.waitingMax, linger: .zero, heartbeat: nil)
        admitsByKey = watched.peers != nil
        do {
            socket = try Socket(.pair, in: watched.context, options: options)
            try socket.connect(text: address)
        } catch {
            Self.stop(watched)
            throw error
        }
    }

    /// No more events; before the monitor or the watched socket is dropped.
    static func stop(_ watched: borrowing Socket) {
        if watched.context.isInOwnProcess { zmq_socket_monitor(watched.handle, nil, 0) }
    }

    /// The next event; nil when none waits.
    package func next() throws(ZeroMQError) -> ConnectionEvent? {
        while let change = try nextChange() {
            if let event = change.event { return event }
        }
        return nil
    }

    func nextChange() throws(ZeroMQError) -> Change? {
        guard let message = try socket.receive() else { return nil }
        let code = message.header.withBytes { (bytes) -> Int32 in
            bytes.count >= 6 ? Int32(bytes.loadUnaligned(as: UInt16.self)) : 0
        }
        let value = message.header.withBytes { (bytes) -> UInt32 in
            bytes.count >= 6 ? bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self) : 0
        }
        let peer = String(decoding: message.payload.bytes, as: UTF8.self)
        return Change(
            event: event(code, value: value, peer: peer),
            accepted: code == ZMQ_EVENT_ACCEPTED ? Int32(bitPattern: value) : nil,
            closing: code == ZMQ_EVENT_DISCONNECTED ? Int32(bitPattern: value) : nil,
            isRetrying: code == ZMQ_EVENT_CONNECT_RETRIED)
    }

    private func event(_ code: Int32, value: UInt32, peer: String) -> ConnectionEvent? {
        switch code {
        case ZMQ_EVENT_CONNECTED: .connected(peer: peer)
        case ZMQ_EVENT_ACCEPTED: .accepted(peer: peer)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .ready(peer: peer)
        case ZMQ_EVENT_DISCONNECTED: .disconnected(peer: peer)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            .handshakeFailed(peer: peer, reason: HandshakeFailure.reason(errno: Int32(clamping: value)))
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            .handshakeFailed(peer: peer, reason: HandshakeFailure.reason(protocolError: Int32(clamping: value)))
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            .handshakeFailed(peer: peer, reason: HandshakeFailure.reason(status: value, isOurs: admitsByKey))
        default: nil
        }
    }
}
