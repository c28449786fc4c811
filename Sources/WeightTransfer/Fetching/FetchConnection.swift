import Sharding

/// One connection to a source: what was asked for over it, and how fast it is.
struct FetchConnection: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Request: Sendable, Hashable {
        var blob: Int
        var offset: Int
        var byteCount: Int
        var asked: Instant
    }

    let source: Int
    /// False once it is given up.
    var isOpen = true
    /// Whether it stands.
    var isReady = false
    /// Since it stands, or since it does not.
    var since: Instant
    /// Times that it was lost since the last chunk came.
    var lossesInARow = 0
    /// Why its last handshake failed.
    var handshakeFailure: String?
    /// In the order in which the answers come.
    private(set) var outstanding: [Request] = []
    private(set) var outstandingBytes = 0
    /// Blobs that are received over it and not asked for to their end.
    var assigned: [Int] = []
    var windowBytesMax = 0
    private(set) var windowBytes: Int
    private(set) var chunkBytes: Int
    private(set) var bytesPerSecond = 0.0
    /// The least time from a request to its answer.
    private(set) var delay: Duration?
    /// When the last chunk came, or the first request was made after a pause.
    private(set) var lastProgress: Instant
    private(set) var strikes = 0
    /// A busy source is left alone until then.
    var pausedUntil: Instant?
    var busySince: Instant?
    private var measuredBytes = 0
    private var measuredSince: Instant

    private static let measureInterval = Duration.milliseconds(10)

    init(source: Int, _ settings: FetchMachine.Settings, now: Instant) {
        self.source = source
        since = now
        lastProgress = now
        measuredSince = now
        chunkBytes = settings.firstChunkBytes
        windowBytes = 8 * settings.firstChunkBytes
    }

    func mayAsk(now: Instant) -> Bool { isOpen && isReady && (pausedUntil.map { $0 <= now } ?? true) }

    /// Bytes that the next request may ask for at most; nil while enough is outstanding.
    func room(_ settings: FetchMachine.Settings) -> Int? {
        guard outstanding.count < settings.requestsMax, outstandingBytes < min(windowBytes, windowBytesMax) else {
            return nil
        }
        return min(chunkBytes, windowBytesMax)
    }

    mutating func add(_ request: Request, now: Instant) {
        if outstanding.isEmpty { (lastProgress, measuredSince, measuredBytes) = (now, now, 0) }
        outstanding.append(request)
        outstandingBytes += request.byteCount
    }

    /// Takes an answered request off the list, and those before it, whose answers are lost.
    mutating func answered(_ place: Int) -> (request: Request, lost: [Request]) {
        let taken = outstanding[...place]
        for request in taken { outstandingBytes -= request.byteCount }
        defer { outstanding.removeFirst(place + 1) }
        return (taken[place], Array(taken.dropLast()))
    }

    /// Takes a refused request off the list.
    mutating func remove(at place: Int) -> Request {
        outstandingBytes -= outstanding[place].byteCount
        return outstanding.remove(at: place)
    }

    /// Forgets what was asked for.
    mutating func removeAll() -> [Request] {
        defer { (outstanding, outstandingBytes) = ([], 0) }
        return outstanding
    }

    mutating func progressed(_ request: Request, _ settings: FetchMachine.Settings, now: Instant) {
        (lastProgress, strikes, busySince) = (now, 0, nil)
        measuredBytes += request.byteCount
        let taken = request.asked.duration(to: now)
        delay = delay.map { min($0, taken) } ?? taken
        let time = measuredSince.duration(to: now)
        guard time >= Self.measureInterval else { return }
        let rate = Double(measuredBytes) / time.inSeconds
        bytesPerSecond = bytesPerSecond == 0 ? rate : 0.7 * bytesPerSecond + 0.3 * rate
        (measuredBytes, measuredSince) = (0, now)
        adapt(settings)
    }

    /// Time passed in which nothing could be received through no fault of the peer.
    mutating func excuse(now: Instant) {
        guard !outstanding.isEmpty else { return }
        (lastProgress, measuredSince, measuredBytes) = (now, now, 0)
    }

    mutating func strike(now: Instant) {
        strikes += 1
        lastProgress = now
    }

    /// When something must have happened; nil while nothing is waited for.
    func deadline(_ settings: FetchMachine.Settings) -> Instant? {
        guard isOpen else { return nil }
        guard isReady else { return since + settings.connectWithin }
        guard let next = outstanding.first else { return nil }
        var within = settings.answerWithin
        if bytesPerSecond > 0 {
            // Chunks come one after the other: the next one is due long before the last.
            within = max(within, .seconds(min(3600, 4 * Double(next.byteCount) / bytesPerSecond)))
        }
        return max(lastProgress + within, pausedUntil ?? lastProgress)
    }

    /// A chunk takes about a second at most. Twice as much as the link moves until an answer comes keeps it busy; more
    /// would only wait, and leave the cache meanwhile.
    private mutating func adapt(_ settings: FetchMachine.Settings) {
        let inTime = bytesPerSecond * settings.chunkWithin.inSeconds
        var size = settings.chunkBytesMin
        while size * 2 <= settings.chunkBytesMax, Double(size * 2) <= inTime { size *= 2 }
        chunkBytes = size
        let inDelay = 2 * bytesPerSecond * (delay?.inSeconds ?? 0)
        let wanted = min(max(inDelay, Double(settings.windowChunksMin * size)), 2 * inTime, Double(windowBytesMax))
        windowBytes = max(2 * size, min(Int(wanted), 4 * windowBytes))
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
