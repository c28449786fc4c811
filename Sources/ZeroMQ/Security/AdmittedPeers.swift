import CZeroMQ
import Glibc

/// Who is at the other ends of a secured socket: reads each message's sender, and remembers its connection.
///
/// It belongs to the socket's thread. A connection is known by the number that the admission gave it: descriptors are
/// used again, and a message may be read when its connection is long gone. Of one descriptor the highest number counts.
final class AdmittedPeers {
    /// Connections remembered at most; those beyond them can send, and end only by themselves.
    static let connectionsMax = 4096
    /// Messages of peers that are no longer listed that one receive drops before it returns.
    static let droppedPerReceiveMax = 64

    private struct Connection {
        var number: UInt64
        var key: CurvePublicKey
        // The descriptor's file, so that another one is not taken for it.
        var device: dev_t
        var inode: ino_t
        /// False when it was ended, or the monitor has said that it is about to be closed.
        var isOpen = true
    }

    private let domain: AdmissionDomain
    // From bind on; the socket keeps it running.
    private var admission: Admission?
    private let boundPorts: BoundPorts
    // By descriptor.
    private var connections: [Int32: Connection] = [:]

    init(domain: AdmissionDomain, boundPorts: BoundPorts) {
        self.domain = domain
        self.boundPorts = boundPorts
    }

    /// - Throws: ``ZeroMQError`` where nobody would decide about the peers.
    func requireAdmission(in context: Context, _ operation: String, _ endpoint: String) throws(ZeroMQError) {
        guard let admission = context.admission, admission.isRunning else {
            throw ZeroMQError(
                operation: operation, endpoint: endpoint, errno: EACCES,
                reason: "the socket is secured, and its context has no running admission",
                hint: "make an Admission first")
        }
        self.admission = admission
    }

    /// The sender of a message and its connection's descriptor; nil where it is not, or no longer, on the list.
    func admit(_ frame: borrowing Message) -> (key: CurvePublicKey, connection: Int32)? {
        guard let number = frame.admissionNumber else { return nil }
        let descriptor = frame.connection
        let key: CurvePublicKey
        if let known = connections[descriptor], known.number == number {
            key = known.key
        } else {
            guard let shown = frame.senderKey else { return nil }
            key = shown
            remember(descriptor, number, key)
        }
        guard let admission, admission.isListed(key, in: domain) else {
            if connections[descriptor]?.number == number { end(descriptor) }
            return nil
        }
        return (key, descriptor)
    }

    /// Whether a message has come by this descriptor's connection.
    func knows(_ descriptor: Int32) -> Bool { connections[descriptor]?.isOpen ?? false }

    /// The monitor says that the descriptor is about to be closed.
    func forget(_ descriptor: Int32) { connections[descriptor]?.isOpen = false }

    /// Ends the remembered connections of these peers, and returns how many there were.
    func end(of keys: Set<CurvePublicKey>) -> Int {
        let ended = connections.filter { $0.value.isOpen && keys.contains($0.value.key) }.keys
        for descriptor in ended { end(descriptor) }
        return ended.count
    }

    private func end(_ descriptor: Int32) {
        guard let connection = connections[descriptor], connection.isOpen else { return }
        connections[descriptor]?.isOpen = false
        guard let file = Self.file(descriptor), file.st_dev == connection.device, file.st_ino == connection.inode
        else { return }
        // libzmq's I/O thread sees the end, tells the monitor, and closes the descriptor.
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private func remember(_ descriptor: Int32, _ number: UInt64, _ key: CurvePublicKey) {
        if let known = connections[descriptor], known.number > number { return }
        if connections.count >= Self.connectionsMax { connections = connections.filter { $0.value.isOpen } }
        guard connections.count < Self.connectionsMax, let file = Self.file(descriptor),
            let port = SocketAddress(localOf: descriptor)?.port, boundPorts.all.contains(port)
        else { return }
        connections[descriptor] = Connection(number: number, key: key, device: file.st_dev, inode: file.st_ino)
    }

    /// nil unless it is an open socket.
    private static func file(_ descriptor: Int32) -> stat? {
        var file = stat()
        guard descriptor >= 0, fstat(descriptor, &file) == 0, file.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return file
    }
}

extension Message {
    /// The key by which its sender was admitted; nil without CURVE.
    fileprivate var senderKey: CurvePublicKey? {
        withProperty("User-Id") { CurveKeyBytes(text: $0).map { CurvePublicKey($0) } }
    }

    /// The number of its connection, from the admission's reply; nil where none decided.
    fileprivate var admissionNumber: UInt64? {
        withProperty(AdmissionReply.numberProperty) { UInt64(String(decoding: $0, as: UTF8.self)) }
    }

    /// The descriptor of the connection that it came by; -1 where there is none.
    fileprivate var connection: Int32 {
        withUnsafePointer(to: storage) { zmq_msg_get($0, ZMQ_SRCFD) }
    }

    /// What libzmq says of the connection. What the admission said stands before what the peer says of itself.
    private func withProperty<Value>(_ name: String, _ body: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        withUnsafePointer(to: storage) { pointer in
            guard let text = zmq_msg_gets(pointer, name) else { return nil }
            return body(UnsafeRawBufferPointer(start: text, count: strnlen(text, AdmissionRequest.frameBytesMax)))
        }
    }
}
