import Foundation
import Sharding
import Synchronization
import Threads
import ZeroMQ

/// A message that travels between threads.
///
/// Safe to share: nobody changes it, libzmq counts references atomically, and it is freed by whoever lets go last.
final class HeldMessage: @unchecked Sendable {
    let message: ReceivedMessage

    init(_ message: consuming ReceivedMessage) { self.message = message }

    var byteCount: Int { message.header.byteCount + message.payload.byteCount }
}

/// Hashes what is received, beside the thread that receives it.
final class HashThread: Sendable {
    enum Job: Sendable {
        /// Reads the front of a blob that was received before, and goes on from there.
        case begin(blob: Int, LockedFile, byteCount: Int)
        /// The payload is what follows.
        case bytes(blob: Int, HeldMessage)
        /// Nothing follows: tell the hash.
        case finish(blob: Int)
    }

    enum Outcome: Sendable {
        case hashed(blob: Int, FileHash)
        case unreadable(blob: Int, WeightTransferError)
    }

    private static let jobsMax = 16_384
    /// Jobs that ``hasRoom`` keeps free for beginnings and ends: one of each for every request that is answered.
    private static let jobsReserved = 8192
    private static let pieceBytes = 1 << 20
    /// How long a piece waits for one of another blob.
    private static let pairingPause = Duration.milliseconds(2)

    private let inbox: Mailbox<Job>
    private let wakeup: Wakeup
    private let outcomes: Mailbox<Outcome>
    private let bytesMax: Int
    private let queuedBytes = Atomic(0)
    private let queuedJobs = Atomic(0)
    private let isAwaited = Atomic(false)
    private let isStopping = Atomic(false)
    private let receiver: Wakeup
    private let thread = Mutex<OwnedThread?>(nil)

    /// - Parameters:
    ///   - bytesMax: Bytes of messages that wait to be hashed.
    ///   - receiver: Signalled for outcomes, and when there is room again for whoever ``awaitRoom()``.
    init(context: Context, bytesMax: Int, outcomes: Mailbox<Outcome>, receiver: Wakeup) throws(ZeroMQError) {
        wakeup = try Wakeup()
        inbox = Mailbox(capacity: Self.jobsMax, wakeup: wakeup)
        self.outcomes = outcomes
        self.receiver = receiver
        self.bytesMax = bytesMax
        let started = OwnedThread(name: "shard-hash") { [self] in run(context) }
        thread.withLock { $0 = started }
    }

    /// Bytes of messages that wait.
    var waitingBytes: Int { queuedBytes.load(ordering: .acquiring) }

    /// Whether another message may be given to it.
    var hasRoom: Bool {
        waitingBytes < bytesMax && queuedJobs.load(ordering: .acquiring) < Self.jobsMax - Self.jobsReserved
    }

    /// Asks for a signal when there is room; the receiving thread looks at ``hasRoom`` once more after this.
    func awaitRoom() { isAwaited.store(true, ordering: .sequentiallyConsistent) }

    func post(_ job: Job) {
        if case .bytes(_, let message) = job { queuedBytes.add(message.byteCount, ordering: .acquiringAndReleasing) }
        queuedJobs.add(1, ordering: .acquiringAndReleasing)
        do {
            try inbox.post(job)
        } catch {
            precondition(error == .closed, "who posts bytes asks for room first")
        }
    }

    /// Ends the thread after the piece that it is at; waits for that.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        inbox.close()
        thread.withLock { $0?.join() }
    }

    private func run(_ context: Context) {
        let loop = SocketLoop(context: context, wakeup: wakeup)
        var blobs = HashedBlobs()
        while !isStopping.load(ordering: .acquiring) {
            for job in inbox.takeAll() { take(job, &blobs) }
            if blobs.isWorthWaiting {
                let before = queuedJobs.load(ordering: .acquiring)
                guard (try? loop.wait(until: .now + Self.pairingPause)) != nil else { return }
                if queuedJobs.load(ordering: .acquiring) != before { continue }
            }
            if hashNext(&blobs) { continue }
            // Signals that came meanwhile end the wait at once.
            guard (try? loop.wait(until: .now + .seconds(60))) != nil else { return }
        }
    }

    private func take(_ job: Job, _ blobs: inout HashedBlobs) {
        switch job {
        case .begin(let blob, let file, let byteCount):
            do throws(WeightTransferError) {
                for message in blobs.begin(blob, try hashFront(of: file, byteCount: byteCount)) { done(message) }
            } catch {
                try? outcomes.post(.unreadable(blob: blob, error))
            }
            done()
        case .bytes(let blob, let message):
            if !blobs.add(message, to: blob) { done(message) }
        case .finish(let blob):
            blobs.finish(blob)
            done()
        }
    }

    /// Hashes what came first of the two blobs that wait longest; false when nothing waits.
    private func hashNext(_ blobs: inout HashedBlobs) -> Bool {
        let next = blobs.next()
        switch next.count {
        case 0: break
        case 1: next[0].message.message.payload.withBytes { next[0].hasher.update($0) }
        default:
            next[0].message.message.payload.withBytes { first in
                next[1].message.message.payload.withBytes { second in
                    BlobHasher.update(next[0].hasher, first, next[1].hasher, second)
                }
            }
        }
        for piece in next {
            blobs.finishIfDone(piece.blob)
            done(piece.message)
        }
        let finished = blobs.takeFinished()
        for (blob, hash) in finished { try? outcomes.post(.hashed(blob: blob, hash)) }
        return !next.isEmpty || !finished.isEmpty
    }

    private func done(_ message: HeldMessage? = nil) {
        if let message { queuedBytes.subtract(message.byteCount, ordering: .acquiringAndReleasing) }
        queuedJobs.subtract(1, ordering: .acquiringAndReleasing)
        if isAwaited.exchange(false, ordering: .sequentiallyConsistent) { receiver.signal() }
    }

    private func hashFront(of file: LockedFile, byteCount: Int) throws(WeightTransferError) -> BlobHasher {
        let hasher = BlobHasher()
        guard byteCount > 0 else { return hasher }
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceBytes, alignment: 4096)
        defer { piece.deallocate() }
        var position = 0
        while position < byteCount, !isStopping.load(ordering: .acquiring) {
            let count = pread(
                file.descriptor, piece.baseAddress, min(piece.count, byteCount - position), off_t(position))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw LockedFile.failure(file.path, "to read its first \(byteCount) bytes") }
            hasher.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            position += count
        }
        return hasher
    }
}

/// Blobs that are being hashed, and what waits of each; belongs to the hash thread.
private struct HashedBlobs {
    private struct Blob {
        var hasher: BlobHasher
        var waiting: [HeldMessage] = []
        var isWhole = false
    }

    /// Pieces of one blob that wait for another's at the most.
    private static let waitingMax = 4

    private var blobs: [Int: Blob] = [:]
    /// Those of which something waits, the one that has waited longest first.
    private var order: [Int] = []
    private var finished: [(blob: Int, hash: FileHash)] = []

    /// Returns what waits of an earlier beginning, which nobody asks for any more.
    mutating func begin(_ blob: Int, _ hasher: BlobHasher) -> [HeldMessage] {
        order.removeAll { $0 == blob }
        return blobs.updateValue(Blob(hasher: hasher), forKey: blob)?.waiting ?? []
    }

    /// False when the blob is not being hashed.
    mutating func add(_ message: HeldMessage, to blob: Int) -> Bool {
        guard blobs[blob] != nil else { return false }
        if blobs[blob]?.waiting.isEmpty == true { order.append(blob) }
        blobs[blob]?.waiting.append(message)
        return true
    }

    mutating func finish(_ blob: Int) {
        blobs[blob]?.isWhole = true
        finishIfDone(blob)
    }

    /// Whether a piece of another blob will probably come soon, with which two are hashed in the time of one.
    var isWorthWaiting: Bool {
        guard order.count == 1, let blob = blobs[order[0]], blob.waiting.count < Self.waitingMax else { return false }
        return blobs.values.contains { !$0.isWhole && $0.waiting.isEmpty }
    }

    /// The first piece of at most two blobs.
    mutating func next() -> [(blob: Int, hasher: BlobHasher, message: HeldMessage)] {
        var pieces: [(blob: Int, hasher: BlobHasher, message: HeldMessage)] = []
        for blob in order.prefix(2) {
            guard let hasher = blobs[blob]?.hasher, let message = blobs[blob]?.waiting.removeFirst() else { continue }
            pieces.append((blob, hasher, message))
            if blobs[blob]?.waiting.isEmpty == true { order.removeAll { $0 == blob } }
        }
        return pieces
    }

    mutating func takeFinished() -> [(blob: Int, hash: FileHash)] {
        defer { finished = [] }
        return finished
    }

    /// Tells the hash of a blob when all of it was hashed.
    mutating func finishIfDone(_ blob: Int) {
        guard let state = blobs[blob], state.isWhole, state.waiting.isEmpty else { return }
        blobs[blob] = nil
        finished.append((blob, state.hasher.finish()))
    }
}
