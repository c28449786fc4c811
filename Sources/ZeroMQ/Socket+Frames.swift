import CZeroMQ

/// What became of a send.
package enum SendOutcome: Sendable, Hashable {
    case sent
    /// The queue is full, or nobody is connected; nothing was sent.
    case wouldBlock
    /// A ROUTER knows no peer of that name (any more).
    case unknownPeer
}

/// A message as it came: at most two frames, and on a ROUTER the sender's name.
package struct ReceivedMessage: ~Copyable {
    /// The peer's routing id; empty except on a ROUTER.
    package let sender: [UInt8]
    package let header: Message
    /// Empty where there is none.
    package let payload: Message
    /// Frames that came after the sender's name. More than two: the surplus was thrown away.
    package let frameCount: Int
    /// Who sent it: the key by which the peer was admitted. nil unless the socket admits peers by their keys.
    package fileprivate(set) var peerKey: CurvePublicKey?
    /// The descriptor of the connection that it came by, to be told apart from others; it may be closed by now. nil
    /// unless the socket admits peers by their keys.
    package fileprivate(set) var connection: Int32?
}

extension Socket {
    /// Sends one frame, which is empty afterwards; untouched unless it was `.sent`.
    package func send(_ message: inout Message, more: Bool = false) throws(ZeroMQError) -> SendOutcome {
        while true {
            if zmq_msg_send(&message.storage, handle, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0 { return .sent }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EHOSTUNREACH: return .unknownPeer
            default: throw .last("send")
            }
        }
    }

    /// Sends a header frame and perhaps a payload frame as one message: both or neither.
    ///
    /// - Parameter recipient: the peer's routing id, on a ROUTER; elsewhere nil.
    package func send(
        to recipient: [UInt8]? = nil, _ header: consuming Message, payload: consuming Message? = nil
    ) throws(ZeroMQError) -> SendOutcome {
        if let recipient {
            var name = Message(recipient)
            let outcome = try send(&name, more: true)
            guard outcome == .sent else { return outcome }
        }
        guard var payload = payload.take() else { return try send(&header) }
        let outcome = try send(&header, more: true)
        guard outcome == .sent else { return outcome }
        return try send(&payload)
    }

    /// Waits until a send may be taken, or the time has come. For the rare sender that may wait; a loop does not.
    package func waitUntilWritable(until deadline: ContinuousClock.Instant) throws(ZeroMQError) {
        while true {
            let left = max(.zero, ContinuousClock.now.duration(to: deadline))
            var item = zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLOUT), revents: 0)
            if zmq_poll(&item, 1, Int(left.millisecondsRoundedUp)) >= 0 { return }
            guard zmq_errno() == EINTR else { throw .last("poll") }
        }
    }

    /// The next frame; nil when none waits.
    package func receiveFrame() throws(ZeroMQError) -> Message? {
        var message = Message()
        while true {
            if zmq_msg_recv(&message.storage, handle, ZMQ_DONTWAIT) >= 0 { return message }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return nil
            default: throw .last("receive")
            }
        }
    }

    /// The next message; nil when none waits.
    ///
    /// On a socket that admits peers by their keys, messages of peers that are no longer listed are dropped, and their
    /// connections ended.
    package func receive() throws(ZeroMQError) -> ReceivedMessage? {
        guard let peers else { return try receiveAny() }
        for _ in 0..<AdmittedPeers.droppedPerReceiveMax {
            guard var message = try receiveAny() else { return nil }
            guard let sender = peers.admit(message.header) else { continue }
            message.peerKey = sender.key
            message.connection = sender.connection
            return message
        }
        return nil
    }

    private func receiveAny() throws(ZeroMQError) -> ReceivedMessage? {
        guard var frame = try receiveFrame() else { return nil }
        var sender: [UInt8] = []
        if kind == .router {
            sender = frame.bytes
            // libzmq delivers whole messages: a name without frames is one that is empty.
            guard frame.hasMore, let first = try receiveFrame() else {
                return ReceivedMessage(sender: sender, header: Message(), payload: Message(), frameCount: 0)
            }
            frame = first
        }
        guard frame.hasMore, let second = try receiveFrame() else {
            return ReceivedMessage(sender: sender, header: frame, payload: Message(), frameCount: 1)
        }
        var frameCount = 2
        var more = second.hasMore
        while more, let surplus = try receiveFrame() {
            frameCount += 1
            more = surplus.hasMore
        }
        return ReceivedMessage(sender: sender, header: frame, payload: second, frameCount: frameCount)
    }
}
