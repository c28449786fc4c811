import CZeroMQ

extension SocketOptions {
    /// Sets every option that matters on a fresh socket; libzmq reads them at bind and connect.
    func apply(to socket: UnsafeMutableRawPointer, _ kind: SocketKind) throws(ZeroMQError) {
        // libzmq counts a frame as it travels, so with what encryption adds to it.
        let frameBytes = Int64(clamping: frameBytesMax).addingReportingOverflow(security.addedBytes).partialValue
        try Self.set(socket, ZMQ_MAXMSGSIZE, frameBytes, "MAXMSGSIZE")
        try Self.set(socket, ZMQ_SNDHWM, Int32(clamping: max(1, sendQueueMax)), "SNDHWM")
        try Self.set(socket, ZMQ_RCVHWM, Int32(clamping: receiveHighWaterMark), "RCVHWM")
        try Self.set(socket, ZMQ_BACKLOG, Int32(clamping: max(1, backlogMax)), "BACKLOG")
        try Self.set(socket, ZMQ_HANDSHAKE_IVL, handshakeWithin.millisecondsRoundedUp, "HANDSHAKE_IVL")
        try Self.set(socket, ZMQ_LINGER, linger.millisecondsRoundedUp, "LINGER")
        // 0 would mean never.
        try Self.set(socket, ZMQ_RECONNECT_IVL, max(1, reconnectAfter.millisecondsRoundedUp), "RECONNECT_IVL")
        try Self.set(socket, ZMQ_RECONNECT_IVL_MAX, reconnectAfterMax.millisecondsRoundedUp, "RECONNECT_IVL_MAX")
        try Self.set(socket, ZMQ_TCP_KEEPALIVE, Int32(1), "TCP_KEEPALIVE")
        if let heartbeat {
            let timeout = heartbeat.timeout.millisecondsRoundedUp
            try Self.set(socket, ZMQ_HEARTBEAT_IVL, heartbeat.interval.millisecondsRoundedUp, "HEARTBEAT_IVL")
            try Self.set(socket, ZMQ_HEARTBEAT_TIMEOUT, timeout, "HEARTBEAT_TIMEOUT")
            try Self.set(socket, ZMQ_HEARTBEAT_TTL, timeout, "HEARTBEAT_TTL")
        }
        switch kind {
        case .router:
            // A message to a peer that is gone is refused, not dropped; a restarted peer takes its name over.
            try Self.set(socket, ZMQ_ROUTER_MANDATORY, Int32(1), "ROUTER_MANDATORY")
            try Self.set(socket, ZMQ_ROUTER_HANDOVER, Int32(1), "ROUTER_HANDOVER")
        case .push, .dealer:
            // Only a connection that stands takes messages: a send without one is refused.
            try Self.set(socket, ZMQ_IMMEDIATE, Int32(1), "IMMEDIATE")
        case .pull, .pair, .reply: break
        }
        if let routingID {
            try Self.set(socket, ZMQ_ROUTING_ID, routingID, "ROUTING_ID")
        }
        try security.apply(to: socket)
    }

    /// The error names the option, never the bytes.
    static func set(
        _ socket: UnsafeMutableRawPointer, _ option: Int32, _ bytes: [UInt8], _ name: String
    ) throws(ZeroMQError) {
        guard zmq_setsockopt(socket, option, bytes, bytes.count) == 0 else { throw .last("option \(name)") }
    }

    static func set<Value: FixedWidthInteger>(
        _ socket: UnsafeMutableRawPointer, _ option: Int32, _ value: Value, _ name: String
    ) throws(ZeroMQError) {
        var value = value
        guard zmq_setsockopt(socket, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw .last("option \(name)")
        }
    }
}
