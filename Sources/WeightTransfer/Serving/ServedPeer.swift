import Sharding
import Synchronization
import ZeroMQ

/// What one peer has asked for and what is on its way to it; belongs to the server's thread.
final class ServedPeer {
    /// A ROUTER's name for the connection.
    let id: [UInt8]
    /// nil in clear.
    let key: CurvePublicKey?
    let account: SendAccount
    private(set) var lastActive: ContinuousClock.Instant
    private var requests: [WeightRequest] = []
    private var head = 0

    init(_ id: [UInt8], _ key: CurvePublicKey?, shared: ServerShared, now: ContinuousClock.Instant) {
        self.id = id
        self.key = key
        account = SendAccount(shared)
        lastActive = now
    }

    var waitingCount: Int { requests.count - head }
    var next: WeightRequest? { head < requests.count ? requests[head] : nil }
    var isIdle: Bool { waitingCount == 0 && account.queuedBytes == 0 }

    func add(_ request: WeightRequest, now: ContinuousClock.Instant) {
        requests.append(request)
        lastActive = now
    }

    func removeFirst() {
        head += 1
        if head == requests.count || head >= 1024 {
            requests.removeFirst(head)
            head = 0
        }
    }
}

/// Chunks that were given to libzmq for one peer, and have not been sent yet.
final class SendAccount: Sendable {
    private let bytes = Atomic(0)
    private let chunks = Atomic(0)
    private let shared: ServerShared

    init(_ shared: ServerShared) { self.shared = shared }

    var queuedBytes: Int { bytes.load(ordering: .acquiring) }
    var queuedChunks: Int { chunks.load(ordering: .acquiring) }

    func add(_ byteCount: Int) {
        bytes.add(byteCount, ordering: .acquiringAndReleasing)
        chunks.add(1, ordering: .acquiringAndReleasing)
    }

    /// libzmq's thread or the server's.
    func release(_ byteCount: Int) {
        bytes.subtract(byteCount, ordering: .acquiringAndReleasing)
        chunks.subtract(1, ordering: .acquiringAndReleasing)
        if shared.isAwaitingRelease.exchange(false, ordering: .acquiringAndReleasing) { shared.wakeup.signal() }
    }
}
