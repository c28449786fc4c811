import Logging
import ModelFiles
import Sharding
import Synchronization
import ZeroMQ

/// The server's thread: takes requests, and sends each peer in turn a chunk, as long as its queue is not full.
final class ServerLoop {
    /// Pages of a file are asked for this far ahead of the chunk that is sent.
    private static let readAheadBytes = 8 << 20
    /// Requests that are taken before the next chunks are sent.
    private static let requestsPerTurn = 256
    /// How soon a send that libzmq refused is tried again.
    private static let refusedPause = Duration.milliseconds(10)

    private let options: WeightServer.Options
    private let offer: WeightOffer
    private let shared: ServerShared
    private let loop: SocketLoop
    private let socket: LoopSocket
    private let logger: Logger
    private var rejected: RepeatedLine
    private var peers: [[UInt8]: ServedPeer] = [:]
    /// Those with requests, in the order of their turns.
    private var turns: [ServedPeer] = []
    private var pausedUntil: ContinuousClock.Instant?

    static func run(
        _ options: WeightServer.Options, offer: WeightOffer, shared: ServerShared, context: Context, logger: Logger,
        bound: (Result<Endpoint, ZeroMQError>) -> Void
    ) {
        do throws(ZeroMQError) {
            let loop = SocketLoop(context: context, wakeup: shared.wakeup)
            let socket = try loop.open(.router, options: options.socket)
            bound(.success(try socket.socket.bind(options.bind)))
            try ServerLoop(options, offer: offer, shared: shared, loop: loop, socket: socket, logger: logger).serve()
        } catch {
            logger.error("weights are no longer served: \(error)")
            bound(.failure(error))
        }
    }

    private init(
        _ options: WeightServer.Options, offer: WeightOffer, shared: ServerShared, loop: SocketLoop,
        socket: LoopSocket, logger: Logger
    ) {
        self.options = options
        self.offer = offer
        self.shared = shared
        self.loop = loop
        self.socket = socket
        self.logger = logger
        rejected = RepeatedLine(logger)
    }

    private func serve() throws(ZeroMQError) {
        while !shared.isStopping {
            if let keys = shared.takeAdmitted() { try endConnections(exceptOf: keys) }
            try takeRequests()
            let isMoreToSend = try sendChunks()
            if isMoreToSend { continue }
            try waitForWork()
        }
    }

    /// Waits for a request, or until a peer that wants more has taken something.
    private func waitForWork() throws(ZeroMQError) {
        let now = ContinuousClock.now
        if !turns.isEmpty {
            shared.isAwaitingRelease.store(true, ordering: .sequentiallyConsistent)
            // What was taken just before will not wake this thread.
            if turns.contains(where: hasRoom), pausedUntil.map({ $0 <= now }) ?? true { return }
        }
        try loop.wait(until: pausedUntil ?? now + .seconds(10))
    }

    private func endConnections(exceptOf keys: Set<CurvePublicKey>) throws(ZeroMQError) {
        let ended = peers.values.filter { peer in peer.key.map { !keys.contains($0) } ?? false }
        try socket.endConnections(of: Set(ended.compactMap(\.key)))
        for peer in ended { forget(peer) }
    }

    // MARK: Requests

    private func takeRequests() throws(ZeroMQError) {
        let now = ContinuousClock.now
        for _ in 0..<Self.requestsPerTurn {
            guard let message = try socket.socket.receive() else { return }
            let request: WeightRequest
            do throws(WireError) {
                request = try Self.read(message)
            } catch {
                rejected.warn("a request for weights was refused: \(error)", now: now)
                shared.statistics.withLock { $0.rejections += 1 }
                continue
            }
            guard let peer = peer(message.sender, message.peerKey, now: now) else {
                rejected.warn("a request for weights was dropped: \(peers.count) peers are being served", now: now)
                continue
            }
            guard peer.waitingCount < options.requestsPerPeerMax else {
                try refuse(request, to: peer, .busy, "\(peer.waitingCount) requests wait already")
                continue
            }
            if peer.waitingCount == 0 { turns.append(peer) }
            peer.add(request, now: now)
        }
    }

    private static func read(_ message: borrowing ReceivedMessage) throws(WireError) -> WeightRequest {
        guard message.frameCount == 1 else {
            throw WireError(.length, message: "message", field: "frames", expected: "1", got: "\(message.frameCount)")
        }
        return try message.header.withBytes { bytes throws(WireError) in try WeightRequest(CheckedFrame(bytes)) }
    }

    private func peer(_ id: [UInt8], _ key: CurvePublicKey?, now: ContinuousClock.Instant) -> ServedPeer? {
        if let peer = peers[id] { return peer }
        if peers.count >= options.peersMax {
            guard let idle = peers.values.filter(\.isIdle).min(by: { $0.lastActive < $1.lastActive }) else {
                return nil
            }
            forget(idle)
        }
        let peer = ServedPeer(id, key, shared: shared, now: now)
        peers[id] = peer
        return peer
    }

    private func forget(_ peer: ServedPeer) {
        peers[peer.id] = nil
        turns.removeAll { $0 === peer }
        _ = shared.statistics.withLock { $0.sentBytesByPeer.removeValue(forKey: peer.id) }
    }

    // MARK: Answers

    private func hasRoom(_ peer: ServedPeer) -> Bool {
        // libzmq counts messages, and learns of those that it sent in batches of half its queue.
        peer.account.queuedBytes < options.queuedBytesPerPeerMax
            && peer.account.queuedChunks < max(1, options.socket.sendQueueMax / 4)
    }

    /// Sends every peer that has room one answer; whether there is more to send at once.
    private func sendChunks() throws(ZeroMQError) -> Bool {
        if let pausedUntil, ContinuousClock.now < pausedUntil { return false }
        pausedUntil = nil
        var isMore = false
        for peer in turns where hasRoom(peer) {
            guard let request = peer.next else { continue }
            switch try answer(request, to: peer) {
            case .sent: peer.removeFirst()
            case .wouldBlock: pausedUntil = .now + Self.refusedPause
            case .unknownPeer:
                forget(peer)
                continue
            }
            if peer.next != nil, pausedUntil == nil, hasRoom(peer) { isMore = true }
        }
        turns.removeAll { $0.waitingCount == 0 }
        return isMore
    }

    private func answer(_ request: WeightRequest, to peer: ServedPeer) throws(ZeroMQError) -> SendOutcome {
        let (found, hasChanged) = offer.find(request.hash)
        guard let offered = found else {
            return hasChanged
                ? try refuse(request, to: peer, .changed, "its file was changed since it was hashed")
                : try refuse(request, to: peer, .unknown, "nothing here has this hash")
        }
        guard request.range.upperBound <= offered.range.count else {
            return try refuse(
                request, to: peer, .range,
                "expected a run within \(offered.range.count) bytes, got \(request.range)")
        }
        return try send(request, of: offered, to: peer)
    }

    private func send(
        _ request: WeightRequest, of offered: WeightOffer.Offered, to peer: ServedPeer
    ) throws(ZeroMQError) -> SendOutcome {
        let start = offered.range.lowerBound + request.offset
        let bytes = UnsafeRawBufferPointer(rebasing: offered.file.bytes[start..<start + request.byteCount])
        advise(request, offered)
        let chunk = WeightChunk(hash: request.hash, offset: request.offset, byteCount: request.byteCount)
        let header: [UInt8]
        do {
            header = try chunk.frame(payload: bytes)
        } catch {
            // Its fields come from a request that was in range.
            preconditionFailure("a chunk of a checked request can be written: \(error)")
        }
        let account = peer.account
        let byteCount = request.byteCount
        account.add(byteCount)
        // The file stays mapped until libzmq has sent the bytes.
        let payload = Message(sharing: bytes) { [file = offered.file] in
            withExtendedLifetime(file) { account.release(byteCount) }
        }
        let outcome = try socket.socket.send(to: peer.id, Message(header), payload: payload)
        if outcome == .sent {
            shared.statistics.withLock {
                $0.sentBytes += byteCount
                $0.sentChunks += 1
                $0.sentBytesByPeer[peer.id, default: 0] += byteCount
            }
        }
        return outcome
    }

    private func advise(_ request: WeightRequest, _ offered: WeightOffer.Offered) {
        let ahead = request.offset == 0 ? 0 : request.offset + Self.readAheadBytes
        let end = min(request.range.upperBound + Self.readAheadBytes, offered.range.count)
        guard ahead < end else { return }
        offered.file.advise(.willNeed, offered.range.lowerBound + ahead..<offered.range.lowerBound + end)
    }

    @discardableResult
    private func refuse(
        _ request: WeightRequest, to peer: ServedPeer, _ reason: WeightRefusal.Reason, _ message: String
    ) throws(ZeroMQError) -> SendOutcome {
        let refusal = WeightRefusal(hash: request.hash, offset: request.offset, reason: reason, message: message)
        let frame: [UInt8]
        do {
            frame = try refusal.frame()
        } catch {
            preconditionFailure("a refusal of a checked request can be written: \(error)")
        }
        shared.statistics.withLock { $0.refusals += 1 }
        return try socket.socket.send(to: peer.id, Message(frame))
    }
}
