import CZeroMQ

/// How a socket's connections are encrypted, and whom it takes.
package enum SocketSecurity: Sendable, Hashable {
    /// Not at all, and everybody: for connections inside one machine.
    case none
    /// Takes peers whose key is on the domain's list; whoever connects must know this pair's public key.
    ///
    /// Binding needs a running ``Admission`` in the context.
    case server(CurveKeyPair, domain: AdmissionDomain)
    /// Connects to whoever holds the secret key of `server`, and to nobody else.
    case client(CurveKeyPair, server: CurvePublicKey)

    /// The list that admits this socket's peers; nil where it asks for no keys.
    var domain: AdmissionDomain? {
        if case .server(_, let domain) = self { domain } else { nil }
    }

    /// At most what CurveZMQ adds to a frame: its name, a nonce, an authenticator and flags take 33.
    var addedBytes: Int64 { self == .none ? 0 : 64 }

    func apply(to socket: UnsafeMutableRawPointer) throws(ZeroMQError) {
        switch self {
        case .none: break
        case .server(let keys, let domain):
            try CurveKeyPair.requireCurve()
            try SocketOptions.set(socket, ZMQ_CURVE_SERVER, Int32(1), "CURVE_SERVER")
            try SocketOptions.set(socket, ZMQ_CURVE_SECRETKEY, keys.secretKey.bytes, "CURVE_SECRETKEY")
            // All three are needed: the domain's name, that it counts, and an Admission that answers (docs/security.md).
            try SocketOptions.set(socket, ZMQ_ZAP_DOMAIN, Array(domain.name.utf8), "ZAP_DOMAIN")
            try SocketOptions.set(socket, ZMQ_ZAP_ENFORCE_DOMAIN, Int32(1), "ZAP_ENFORCE_DOMAIN")
        case .client(let keys, let server):
            try CurveKeyPair.requireCurve()
            guard !server.isPrintedInManual else {
                throw ZeroMQError(
                    operation: "key of the other side", errno: EACCES,
                    reason: "libzmq's manual prints its secret key, so anybody could be the other side",
                    hint: "make keys of your own")
            }
            try SocketOptions.set(socket, ZMQ_CURVE_SERVERKEY, server.bytes, "CURVE_SERVERKEY")
            try SocketOptions.set(socket, ZMQ_CURVE_PUBLICKEY, keys.publicKey.bytes, "CURVE_PUBLICKEY")
            try SocketOptions.set(socket, ZMQ_CURVE_SECRETKEY, keys.secretKey.bytes, "CURVE_SECRETKEY")
        }
    }
}
