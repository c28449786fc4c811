import Sharding

/// Which bytes are asked of whom, and what becomes of the answers: decisions alone, without sockets, files or a clock.
///
/// The driver tells it what happened, and then performs what ``next(now:)`` returns until that is nil.
struct FetchMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Settings: Sendable {
        /// Bytes asked for and not yet received, over one connection; it takes what its speed and delay are worth.
        var windowBytesMax = 16 << 20
        /// The least that it takes once it is fast, in chunks.
        var windowChunksMin = 8
        /// The same over all connections: what may lie in this process's queues.
        var windowBytesInAllMax = 32 << 20
        /// Requests that wait for their answers on one connection.
        var requestsMax = 64
        /// Blobs that are asked for in turn over a single connection.
        var interleavedBlobs = 2
        /// Half of what the wire allows: such a chunk is still in a core's cache when it is written and hashed.
        var chunkBytesMax = 512 << 10
        /// Before the link was measured.
        var firstChunkBytes = 64 << 10
        var chunkBytesMin = 16 << 10
        /// A chunk is no larger than what the link moves in this time, and a window no larger than in twice of it.
        var chunkWithin = Duration.seconds(1)
        /// The least time that an answer may take.
        var answerWithin = Duration.seconds(5)
        var connectWithin = Duration.seconds(10)
        /// How soon a busy source is asked again, and how long it may stay busy.
        var busyPause = Duration.milliseconds(250)
        var busyWithin = Duration.seconds(60)
        /// How soon a request that could not be sent is tried again.
        var sendPause = Duration.milliseconds(20)
        /// How soon a tensor that another process writes is looked at again, and how long that may stand still.
        var elsewherePause = Duration.milliseconds(100)
        var elsewhereWithin = Duration.seconds(30)
        /// Deadlines in a row that a connection may miss.
        var strikesMax = 2
        /// Losses of a connection without a chunk between them.
        var lossesInARowMax = 32
        /// Chunks of one source that nobody asked for.
        var strayChunksMax = 64
    }

    enum Action: Sendable, Equatable {
        /// Begin or resume writing a blob; answered by ``opened(_:receivedBytes:)``, ``found(_:)`` or
        /// ``isElsewhere(_:receivedBytes:now:)``.
        case open(blob: Int)
        case request(connection: Int, WeightRequest)
        /// Throw away what was received of a blob.
        case restart(blob: Int)
        case close(connection: Int)
        /// A source is given up; for a log.
        case dropped(source: Int, reason: String)
        case fail(WeightTransferError.Code, place: String, expected: String, got: String)
    }

    let settings: Settings
    var blobs: [FetchBlob]
    var sources: [FetchSource]
    var connections: [FetchConnection]
    var queued: [Action] = []
    /// Blobs that another process writes.
    var elsewhere: [Int] = []
    private(set) var readyCount = 0
    /// Bytes that came for nothing: asked for twice, or not at all.
    var duplicateBytes = 0
    var lossCount = 0

    /// - Parameters:
    ///   - wanted: In the order in which they will be used.
    ///   - sources: The one asked first, first; with how many connections each.
    init(_ wanted: [WantedBlob], sources: [(name: String, connectionCount: Int)], settings: Settings, now: Instant) {
        self.settings = settings
        blobs = wanted.map(FetchBlob.init)
        self.sources = sources.map { FetchSource(name: $0.name) }
        connections = sources.enumerated().flatMap { index, source in
            (0..<max(1, source.connectionCount)).map { _ in FetchConnection(source: index, settings, now: now) }
        }
        let share = settings.windowBytesInAllMax / max(1, connections.count)
        for index in connections.indices {
            connections[index].windowBytesMax = min(settings.windowBytesMax, max(share, settings.chunkBytesMax))
        }
    }

    var isDone: Bool { readyCount == blobs.count }

    /// Bytes that were asked for and have not come.
    var outstandingBytes: Int { connections.reduce(0) { $0 + $1.outstandingBytes } }

    var bytesPerSecond: Double { connections.reduce(0) { $0 + ($1.isOpen ? $1.bytesPerSecond : 0) } }

    /// The next thing to do; nil when there is nothing until something happens or time passes.
    mutating func next(now: Instant) -> Action? {
        if !queued.isEmpty { return queued.removeFirst() }
        for index in connections.indices where connections[index].mayAsk(now: now) {
            if let action = nextRequest(index, now: now) { return action }
        }
        return nil
    }

    /// Unless something happens, nothing is to be done before.
    func nextDeadline(now: Instant) -> Instant {
        var deadline = now + settings.answerWithin
        if !elsewhere.isEmpty { deadline = min(deadline, now + settings.elsewherePause) }
        for connection in connections where connection.isOpen {
            if let paused = connection.pausedUntil, paused > now { deadline = min(deadline, paused) }
            if let due = connection.deadline(settings) { deadline = min(deadline, due) }
        }
        return deadline
    }

    // MARK: Blobs

    /// What the store has was told with ``found(_:)``: the rest is to be asked for.
    mutating func start() {
        for blob in blobs.indices where blobs[blob].state == .waiting { returnToWaiting(blob) }
    }

    /// The store has a front of the blob, perhaps none, perhaps all of it; it is being written.
    mutating func opened(_ blob: Int, receivedBytes: Int) {
        blobs[blob].isOpen = true
        blobs[blob].state = .receiving
        blobs[blob].resumedBytes = receivedBytes
        blobs[blob].receivedBytes = receivedBytes
        blobs[blob].requestedBytes = receivedBytes
        finishIfWhole(blob)
    }

    /// The store has it.
    mutating func found(_ blob: Int) { becomeReady(blob) }

    /// Another process writes it: it will be looked at again.
    ///
    /// - Parameter receivedBytes: what that process has.
    mutating func isElsewhere(_ blob: Int, receivedBytes: Int, now: Instant) {
        unassign(blob)
        blobs[blob].state = .elsewhere
        if blobs[blob].elsewhereBytes != receivedBytes || blobs[blob].elsewhereSince == nil {
            blobs[blob].elsewhereBytes = receivedBytes
            blobs[blob].elsewhereSince = now
        }
        blobs[blob].lookAgain = now + settings.elsewherePause
        elsewhere.append(blob)
    }

    /// All of a blob was hashed.
    mutating func hashed(_ blob: Int, as hash: FileHash) {
        guard blobs[blob].state == .hashing else { return }
        if hash == blobs[blob].hash { return becomeReady(blob) }
        // Who sent a part of it, or wrote a part of it before, may be innocent: only who sent all of it is not.
        if blobs[blob].resumedBytes == 0, blobs[blob].senders.count == 1, let source = blobs[blob].senders.first {
            drop(source, "sent \(blobs[blob].name) with SHA-256 \(hash) instead of \(blobs[blob].hash)")
        }
        blobs[blob].restart()
        queued.append(.restart(blob: blob))
        returnToWaiting(blob)
    }

    mutating func finishIfWhole(_ blob: Int) {
        guard blobs[blob].receivedBytes == blobs[blob].byteCount else { return }
        unassign(blob)
        blobs[blob].state = .hashing
    }

    private mutating func becomeReady(_ blob: Int) {
        guard blobs[blob].state != .ready else { return }
        unassign(blob)
        blobs[blob].state = .ready
        readyCount += 1
    }
}
