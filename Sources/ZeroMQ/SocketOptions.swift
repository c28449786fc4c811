import CZeroMQ

/// The socket types that this project uses.
package enum SocketKind: Sendable, Hashable {
    case router
    case dealer
    case push
    case pull
    case pair
    /// Answers each request before it takes the next.
    case reply

    var type: Int32 {
        switch self {
        case .router: ZMQ_ROUTER
        case .dealer: ZMQ_DEALER
        case .push: ZMQ_PUSH
        case .pull: ZMQ_PULL
        case .pair: ZMQ_PAIR
        case .reply: ZMQ_REP
        }
    }

    var name: String { "\(self)" }
}

/// What is set on every socket before it binds or connects; libzmq's own defaults are unbounded or off.
package struct SocketOptions: Sendable, Hashable {
    /// How a silent peer is noticed by libzmq's I/O thread.
    package struct Heartbeat: Sendable, Hashable {
        package var interval: Duration
        /// Silence after which the connection is closed, at both ends.
        package var timeout: Duration

        package init(interval: Duration = .milliseconds(500), timeout: Duration = .seconds(2)) {
            self.interval = interval
            self.timeout = timeout
        }
    }

    /// A longer frame closes its connection (libzmq: unlimited).
    package var frameBytesMax: Int
    /// Messages that wait to be sent to one peer; then a send is refused (libzmq: 1000).
    package var sendQueueMax: Int
    /// Messages that wait to be received from one peer; then that peer waits (libzmq: 1000).
    package var receiveQueueMax: Int
    /// Bytes that wait to be received from one peer, where its messages are as long as they may be: then no more than
    /// this divided by `frameBytesMax` wait, and never fewer than two may. libzmq counts messages, not frames: one of
    /// two frames may take twice as much. nil leaves it to `receiveQueueMax`; with both, both hold.
    package var receiveBytesMax: Int?
    /// Connections that the system holds until libzmq takes them; further ones try again (libzmq: 100).
    package var backlogMax: Int
    /// Connections from others at a time; of more, one that has sent nothing yet is ended (libzmq: no limit).
    package var connectionsMax: Int
    /// A connection that has not said who it is by then is closed (libzmq: 30 s).
    package var handshakeWithin: Duration
    /// How long unsent messages survive their socket (libzmq: for ever).
    package var linger: Duration
    /// nil switches them off (libzmq: off).
    package var heartbeat: Heartbeat?
    /// First and longest pause before connecting again (libzmq: 100 ms, always).
    package var reconnectAfter: Duration
    package var reconnectAfterMax: Duration
    /// How a ROUTER names this socket; nil lets it choose. 1 to 255 bytes, not beginning with 0.
    package var routingID: [UInt8]?
    /// Encryption, and whom the socket takes.
    package var security: SocketSecurity

    package init(
        frameBytesMax: Int = 64 << 20, sendQueueMax: Int = 64, receiveQueueMax: Int = 64,
        handshakeWithin: Duration = .seconds(5), linger: Duration = .milliseconds(500),
        heartbeat: Heartbeat? = Heartbeat(), reconnectAfter: Duration = .milliseconds(50),
        reconnectAfterMax: Duration = .milliseconds(500), routingID: [UInt8]? = nil, receiveBytesMax: Int? = nil,
        backlogMax: Int = 64, connectionsMax: Int = 512, security: SocketSecurity = .none
    ) {
        self.frameBytesMax = frameBytesMax
        self.sendQueueMax = sendQueueMax
        self.receiveQueueMax = receiveQueueMax
        self.handshakeWithin = handshakeWithin
        self.linger = linger
        self.heartbeat = heartbeat
        self.reconnectAfter = reconnectAfter
        self.reconnectAfterMax = reconnectAfterMax
        self.routingID = routingID
        self.receiveBytesMax = receiveBytesMax
        self.backlogMax = backlogMax
        self.connectionsMax = connectionsMax
        self.security = security
    }

    /// Messages that may wait to be received from one peer, by both bounds.
    var receiveHighWaterMark: Int {
        guard let receiveBytesMax else { return max(1, receiveQueueMax) }
        return max(2, min(receiveQueueMax, receiveBytesMax / max(1, frameBytesMax)))
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, within what libzmq takes; so a wait is never shorter than asked for.
    var millisecondsRoundedUp: Int32 {
        let (seconds, attoseconds) = components
        let (thousands, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? 0 : .max }
        let (sum, overflowed) = thousands.addingReportingOverflow(
            (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        return overflowed ? .max : Int32(clamping: max(0, sum))
    }
}
