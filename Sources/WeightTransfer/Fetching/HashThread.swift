import Foundation
import Sharding
import Synchronization
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
        var hashers: [Int: FileHasher] = [:]
        while !isStopping.load(ordering: .acquiring) {
            for job in inbox.takeAll() {
                if isStopping.load(ordering: .acquiring) { return }
                perform(job, &hashers)
                queuedJobs.subtract(1, ordering: .acquiringAndReleasing)
                if isAwaited.exchange(false, ordering: .sequentiallyConsistent) { receiver.signal() }
            }
            // Signals that came meanwhile end the wait at once.
            guard (try? loop.wait(until: .now + .seconds(60))) != nil else { return }
        }
    }

    private func perform(_ job: Job, _ hashers: inout [Int: FileHasher]) {
        switch job {
        case .begin(let blob, let file, let byteCount):
            do throws(WeightTransferError) {
                hashers[blob] = try hashFront(of: file, byteCount: byteCount)
            } catch {
                try? outcomes.post(.unreadable(blob: blob, error))
            }
        case .bytes(let blob, let message):
            message.message.payload.withBytes { hashers[blob]?.update($0) }
            queuedBytes.subtract(message.byteCount, ordering: .acquiringAndReleasing)
        case .finish(let blob):
            guard let hasher = hashers.removeValue(forKey: blob) else { return }
            try? outcomes.post(.hashed(blob: blob, hasher.finish()))
        }
    }

    private func hashFront(of file: LockedFile, byteCount: Int) throws(WeightTransferError) -> FileHasher {
        var hasher = FileHasher()
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
