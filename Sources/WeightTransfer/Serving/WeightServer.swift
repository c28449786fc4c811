import Logging
import Sharding
import Synchronization
import Threads
import ZeroMQ

/// Hands out weights by hash, on a thread and a socket of its own.
package final class WeightServer: Sendable {
    package struct Options: Sendable {
        /// Where it listens; port 0 takes a free one.
        package var bind: Endpoint
        package var socket: SocketOptions
        /// Lets peers in by their keys; nil: in clear.
        package var admission: Admission?
        /// Bytes that wait in the queue of one peer, or on their way to it; the rest of what it asked for waits as
        /// requests.
        package var queuedBytesPerPeerMax = 8 << 20
        /// Requests of one peer that wait; further ones are refused as busy.
        package var requestsPerPeerMax = 256
        /// Peers that are remembered; further ones take the place of those that ask for nothing.
        package var peersMax = 256

        package init(bind: Endpoint = .loopback(), socket: SocketOptions = .weightServer) {
            self.bind = bind
            self.socket = socket
        }

        /// Takes only peers whose keys ``WeightServer/admit(_:)`` names.
        package mutating func secure(_ keys: CurveKeyPair, _ admission: Admission?) {
            socket.security = .server(keys, domain: .weights)
            self.admission = admission
        }
    }

    package struct Statistics: Sendable, Hashable {
        /// Of weights, to all peers; what a broken connection lost is among them.
        package var sentBytes = 0
        package var sentChunks = 0
        package var refusals = 0
        /// Messages that were none of ours.
        package var rejections = 0
        /// Bytes of weights by the routing id of those peers that are remembered.
        package var sentBytesByPeer: [[UInt8]: Int] = [:]
    }

    package let offer: WeightOffer
    /// With the port that was taken.
    package let endpoint: Endpoint
    private let admission: Admission?
    private let shared: ServerShared
    private let thread: OwnedThread

    /// Binds and starts to serve.
    ///
    /// - Throws: ``WeightTransferError`` `.network` where the endpoint cannot be bound.
    package init(
        _ options: Options, offer: WeightOffer, context: Context, logger: Logger
    ) throws(WeightTransferError) {
        self.offer = offer
        admission = options.admission
        let begun: (ServerShared, OwnedThread, Endpoint)
        do {
            begun = try Self.begin(options, offer: offer, context: context, logger: logger)
        } catch {
            throw WeightTransferError(.network, error)
        }
        (shared, thread, endpoint) = begun
    }

    package var statistics: Statistics { shared.statistics.withLock { $0 } }

    /// From now on those with these keys fetch here, and nobody else: connections of others end, and what they have
    /// asked for is not sent. Any thread.
    package func admit(_ keys: Set<CurvePublicKey>) {
        guard let admission else { return }
        admission.allow(keys, in: .weights)
        shared.admit(keys)
    }

    /// Stops serving and closes the socket; waits for that. Not on the cooperative pool.
    package func stop() {
        shared.stop()
        thread.join()
    }

    deinit { shared.stop() }

    private static func begin(
        _ options: Options, offer: WeightOffer, context: Context, logger: Logger
    ) throws(ZeroMQError) -> (ServerShared, OwnedThread, Endpoint) {
        let shared = ServerShared(wakeup: try Wakeup())
        let starting = try Wakeup()
        let bound = Mailbox<Result<Endpoint, ZeroMQError>>(capacity: 1, wakeup: starting)
        let thread = OwnedThread(name: "shard-weights") {
            ServerLoop.run(options, offer: offer, shared: shared, context: context, logger: logger) { result in
                try? bound.post(result)
            }
        }
        // The socket is made on its thread, which answers within moments.
        let loop = SocketLoop(context: context, wakeup: starting)
        while true {
            if let result = bound.takeAll().first { return (shared, thread, try result.get()) }
            try loop.wait(until: .now + .seconds(60))
        }
    }
}

/// What the server's thread shares with others.
final class ServerShared: Sendable {
    let wakeup: Wakeup
    let statistics = Mutex(WeightServer.Statistics())
    private let admitted = Mutex<Set<CurvePublicKey>?>(nil)
    private let stopping = Atomic(false)
    /// Whether the thread waits until a peer has taken something.
    let isAwaitingRelease = Atomic(false)

    init(wakeup: Wakeup) { self.wakeup = wakeup }

    func admit(_ keys: Set<CurvePublicKey>) {
        admitted.withLock { $0 = keys }
        wakeup.signal()
    }

    /// Who may stay; nil when that has not changed since it was asked for.
    func takeAdmitted() -> Set<CurvePublicKey>? { admitted.withLock { $0.take() } }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    func stop() {
        stopping.store(true, ordering: .releasing)
        wakeup.signal()
    }
}
