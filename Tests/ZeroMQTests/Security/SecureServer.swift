import Testing
import ZeroMQ

/// A secured socket that listens on loopback, with its admission, and clients in the same loop.
final class SecureServer {
    let keys: CurveKeyPair
    let domain: AdmissionDomain
    let loop: SocketLoop
    let admission: Admission
    let socket: LoopSocket
    let endpoint: Endpoint
    let refusals: Mailbox<AdmissionRefusal>

    init(
        _ kind: SocketKind = .pull, domain: AdmissionDomain = .data, allowing allowed: Set<CurvePublicKey> = [],
        monitored: Bool = true, options: SocketOptions = SocketOptions()
    ) throws {
        keys = try CurveKeyPair.generate()
        self.domain = domain
        loop = SocketLoop(context: try Context(), wakeup: try Wakeup())
        let refusals = Mailbox<AdmissionRefusal>(capacity: 1000, wakeup: loop.wakeup)
        self.refusals = refusals
        admission = try Admission(in: loop.context) { try? refusals.post($0) }
        admission.allow(allowed, in: domain)
        var options = options
        options.security = .server(keys, domain: domain)
        socket = try loop.open(kind, options: options, monitored: monitored)
        endpoint = try socket.socket.bind(.loopback())
    }

    /// A socket that connects to it, monitored.
    func connect(
        _ kind: SocketKind = .push, as keys: CurveKeyPair, expecting server: CurvePublicKey? = nil
    ) throws -> LoopSocket {
        try connect(kind, security: .client(keys, server: server ?? self.keys.publicKey))
    }

    func connect(_ kind: SocketKind = .push, security: SocketSecurity) throws -> LoopSocket {
        let options = SocketOptions(reconnectAfter: .milliseconds(5), reconnectAfterMax: .milliseconds(20))
        var secured = options
        secured.security = security
        let socket = try loop.open(kind, options: secured, monitored: true)
        try socket.socket.connect(endpoint)
        return socket
    }

    /// The next message's first bytes and sender.
    func receive() throws -> (bytes: [UInt8], key: CurvePublicKey?, connection: Int32?) {
        let message = try SocketTests.receive(socket, loop)
        return (message.header.bytes, message.peerKey, message.connection)
    }

    func send(_ bytes: [UInt8], on client: LoopSocket) throws { try SocketTests.send(bytes, on: client, loop) }

    /// Waits until the socket tells of such an event; events before it are lost.
    @discardableResult
    func event(of socket: LoopSocket, where matches: (ConnectionEvent) -> Bool) throws -> ConnectionEvent {
        let deadline = SocketTests.deadline
        while true {
            while let event = try socket.nextConnectionEvent() { if matches(event) { return event } }
            try #require(ContinuousClock.now < deadline, "the event did not come")
            try loop.wait(until: deadline)
        }
    }

    /// The reason of the next failed handshake.
    func handshakeFailure(of socket: LoopSocket) throws -> String {
        let event = try event(of: socket) { if case .handshakeFailed = $0 { true } else { false } }
        guard case .handshakeFailed(_, let reason) = event else { return "" }
        return reason
    }

    /// Whether the socket has told of a finished handshake among the events that wait.
    func isReady(_ socket: LoopSocket) throws -> Bool {
        while let event = try socket.nextConnectionEvent() { if case .ready = event { return true } }
        return false
    }

    /// Waits until something is so that nothing announces.
    func wait(_ comment: Comment, until condition: () throws -> Bool) throws {
        let deadline = SocketTests.deadline
        while try !condition() {
            try #require(ContinuousClock.now < deadline, comment)
            try loop.wait(until: .now + .milliseconds(2))
        }
    }

    /// The next refusal that was reported.
    func refusal() throws -> AdmissionRefusal {
        var taken: [AdmissionRefusal] = []
        try wait("no refusal was reported") {
            taken = refusals.takeAll()
            return !taken.isEmpty
        }
        return taken[0]
    }
}
