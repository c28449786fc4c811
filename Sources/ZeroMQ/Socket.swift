import CZeroMQ

/// A libzmq socket, owned by the thread that made it; closed when it goes out of scope.
///
/// No operation waits: what cannot be done now says so, and `SocketLoop` waits for the set of them.
package struct Socket: ~Copyable {
    // Also keeps the context alive while the socket is open.
    let context: Context
    let handle: UnsafeMutableRawPointer
    package let kind: SocketKind
    // Only of a socket that takes peers by their keys.
    let peers: AdmittedPeers?
    let targets = ConnectionTargets()
    let boundPorts = BoundPorts()

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
        peers = options.security.domain.map { [boundPorts] in AdmittedPeers(domain: $0, boundPorts: boundPorts) }
    }

    /// Starts listening.
    ///
    /// - Parameter endpoint: `tcp://address:port`; a port of `*` or 0 takes any free one.
    /// - Returns: the endpoint with the port that was taken.
    /// - Throws: ``ZeroMQError`` also where the socket takes peers by their keys and its context has no running
    ///   ``Admission``.
    package func bind(_ endpoint: Endpoint) throws(ZeroMQError) -> Endpoint {
        let text = endpoint.bindText
        try peers?.requireAdmission(in: context, "bind", endpoint.description)
        try useIPv6(endpoint.bindsIPv6)
        guard zmq_bind(handle, text) == 0 else { throw .last("bind", endpoint: endpoint.description) }
        guard let bound = Endpoint(try lastEndpoint()) else {
            throw ZeroMQError(operation: "bind: last endpoint", endpoint: text, errno: EINVAL)
        }
        boundPorts.all.insert(bound.port)
        return bound
    }

    func bind(text: String) throws(ZeroMQError) {
        guard zmq_bind(handle, text) == 0 else { throw .last("bind", endpoint: text) }
    }

    /// Starts connecting, and again whenever the connection breaks.
    ///
    /// A host's name is looked up, so this may wait for the system's resolver; addresses never wait.
    package func connect(_ endpoint: Endpoint) throws(ZeroMQError) {
        try peers?.requireAdmission(in: context, "connect", endpoint.description)
        let usesIPv6 = endpoint.connectsIPv6()
        try useIPv6(usesIPv6)
        try connect(text: endpoint.description)
        targets.all.append((endpoint, usesIPv6))
    }

    /// Connects anew where libzmq has given up, on a socket that connects to one endpoint.
    func connectAgain() throws(ZeroMQError) {
        guard targets.all.count == 1 else { return }
        let (endpoint, usesIPv6) = targets.all[0]
        // What is left of the old connection is only a name in libzmq's table.
        zmq_disconnect(handle, endpoint.description)
        try useIPv6(usesIPv6)
        try connect(text: endpoint.description)
    }

    func connect(text: String) throws(ZeroMQError) {
        guard zmq_connect(handle, text) == 0 else { throw .last("connect", endpoint: text) }
    }

    package func disconnect(_ endpoint: Endpoint) throws(ZeroMQError) {
        let text = endpoint.description
        targets.all.removeAll { $0.endpoint == endpoint }
        guard zmq_disconnect(handle, text) == 0 else { throw .last("disconnect", endpoint: text) }
    }

    deinit {
        if context.isInOwnProcess { zmq_close(handle) }
    }

    /// For the next bind or connect. With it libzmq turns every IPv4 address into a mapped one, so not without need.
    private func useIPv6(_ isUsed: Bool) throws(ZeroMQError) {
        try SocketOptions.set(handle, ZMQ_IPV6, Int32(isUsed ? 1 : 0), "IPV6")
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

/// Where a socket connects to; belongs to its thread.
final class ConnectionTargets {
    var all: [(endpoint: Endpoint, usesIPv6: Bool)] = []
}

/// Where a socket listens; belongs to its thread.
final class BoundPorts {
    var all: Set<UInt16> = []
}
