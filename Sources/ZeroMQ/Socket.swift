import CZeroMQ

/// A libzmq socket, owned by the thread that made it; closed when it goes out of scope.
///
/// No operation waits: what cannot be done now says so, and `SocketLoop` waits for the set of them.
package struct Socket: ~Copyable {
    // Also keeps the context alive while the socket is open.
    let context: Context
    let handle: UnsafeMutableRawPointer
    package let kind: SocketKind

    package init(_ kind: SocketKind, in context: Context, options: SocketOptions = SocketOptions()) throws(ZeroMQError)
    {
        guard let handle = zmq_socket(context.handle, kind.type) else { throw .last("\(kind.name) socket") }
        do {
            try options.apply(to: handle, kind)
        } catch {
            zmq_close(handle)
            throw error
        }
        self.context = context
        self.handle = handle
        self.kind = kind
    }

    /// Starts listening.
    ///
    /// - Parameter endpoint: `tcp://address:port`; a port of `*` or 0 takes any free one.
    /// - Returns: the endpoint with the port that was taken.
    package func bind(_ endpoint: Endpoint) throws(ZeroMQError) -> Endpoint {
        let text = endpoint.bindText
        try useFamily(of: endpoint)
        guard zmq_bind(handle, text) == 0 else { throw .last("bind", endpoint: endpoint.description) }
        guard let bound = Endpoint(try lastEndpoint()) else {
            throw ZeroMQError(operation: "bind: last endpoint", endpoint: text, errno: EINVAL)
        }
        return bound
    }

    /// Starts connecting, and again whenever the connection breaks.
    package func connect(_ endpoint: Endpoint) throws(ZeroMQError) {
        try useFamily(of: endpoint)
        try connect(text: endpoint.description)
    }

    func connect(text: String) throws(ZeroMQError) {
        guard zmq_connect(handle, text) == 0 else { throw .last("connect", endpoint: text) }
    }

    package func disconnect(_ endpoint: Endpoint) throws(ZeroMQError) {
        let text = endpoint.description
        guard zmq_disconnect(handle, text) == 0 else { throw .last("disconnect", endpoint: text) }
    }

    deinit {
        if context.isInOwnProcess { zmq_close(handle) }
    }

    /// IPv6 only for its own addresses: with it libzmq turns every IPv4 address into a mapped one.
    private func useFamily(of endpoint: Endpoint) throws(ZeroMQError) {
        try SocketOptions.set(handle, ZMQ_IPV6, Int32(endpoint.host.contains(":") ? 1 : 0), "IPV6")
    }

    private func lastEndpoint() throws(ZeroMQError) -> String {
        var bytes = [UInt8](repeating: 0, count: 1024)
        var count = bytes.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &bytes, &count) == 0 else {
            throw .last("option LAST_ENDPOINT")
        }
        return String(decoding: bytes.prefix(count).prefix { $0 != 0 }, as: UTF8.self)
    }
}
