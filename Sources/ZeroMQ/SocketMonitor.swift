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
package final class SocketMonitor {
    let socket: Socket

    private static let number = Atomic<Int>(0)
    private static let events =
        ZMQ_EVENT_CONNECTED | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
        | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
        | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    package init(of watched: borrowing Socket) throws(ZeroMQError) {
        let address = "inproc://monitor-\(Self.number.add(1, ordering: .relaxed).newValue)"
        guard zmq_socket_monitor(watched.handle, address, Self.events) == 0 else { throw .last("monitor") }
        var options = SocketOptions(linger: .zero, heartbeat: nil)
        options.receiveQueueMax = 1000
        socket = try Socket(.pair, in: watched.context, options: options)
        try socket.connect(text: address)
    }

    /// The next event; nil when none waits.
    package func next() throws(ZeroMQError) -> ConnectionEvent? {
        while let message = try socket.receive() {
            let code = message.header.withBytes { (bytes) -> UInt16? in
                bytes.count >= 6 ? bytes.loadUnaligned(as: UInt16.self) : nil
            }
            let value = message.header.withBytes { (bytes) -> UInt32 in
                bytes.count >= 6 ? bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self) : 0
            }
            let peer = String(decoding: message.payload.bytes, as: UTF8.self)
            if let event = Self.event(Int32(code ?? 0), value: value, peer: peer) { return event }
        }
        return nil
    }

    private static func event(_ code: Int32, value: UInt32, peer: String) -> ConnectionEvent? {
        switch code {
        case ZMQ_EVENT_CONNECTED: .connected(peer: peer)
        case ZMQ_EVENT_ACCEPTED: .accepted(peer: peer)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .ready(peer: peer)
        case ZMQ_EVENT_DISCONNECTED: .disconnected(peer: peer)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            .handshakeFailed(peer: peer, reason: String(cString: zmq_strerror(Int32(clamping: value))))
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            .handshakeFailed(peer: peer, reason: "protocol error 0x\(String(value, radix: 16))")
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: .handshakeFailed(peer: peer, reason: "refused with status \(value)")
        default: nil
        }
    }
}
