/// Finds out which way of reading is fastest, with reads that are needed anyway.
package struct ReadTrials {
    package struct Result: Sendable, Hashable {
        package var settings: ReadSettings
        package var bytesPerSecond: Double
    }

    /// Less than that is over before it says anything.
    private static let bytesMin = 4 << 20
    /// Of the best rate: what reads slower than that is given up, and other depths of it are not tried.
    private static let hopelessShare = 0.7

    private var candidates: ArraySlice<ReadSettings>
    private(set) var best: Result?

    init(canReadDirectly: Bool) {
        candidates = ReadSettings.candidates(canReadDirectly: canReadDirectly)[...]
    }

    /// Whether something is still to be tried.
    var isRunning: Bool { !candidates.isEmpty }

    /// What to try next, where a filled ring is enough to tell.
    mutating func next(ringBytes: Int, pieces: [Piece]) -> ReadSettings? {
        if min(ringBytes, pieces.reduce(0, { $0 + $1.byteCount })) < Self.bytesMin { candidates = [] }
        return candidates.popFirst()
    }

    /// So many bytes, read in that time.
    typealias Reading = (bytes: Int, time: Duration)

    /// Whether what has read that much is so much slower than the best that more of it would be time lost.
    func isHopeless(_ reading: Reading) -> Bool {
        guard let best, reading.bytes >= Self.bytesMin else { return false }
        return Self.rate(reading) < best.bytesPerSecond * Self.hopelessShare
    }

    mutating func record(_ settings: ReadSettings, _ reading: Reading) {
        if isHopeless(reading) { candidates.removeAll { $0.method == settings.method } }
        let rate = Self.rate(reading)
        if best.map({ rate > $0.bytesPerSecond }) ?? true {
            best = Result(settings: settings, bytesPerSecond: rate)
        }
    }

    private static func rate(_ reading: Reading) -> Double {
        Double(reading.bytes) / max(1e-9, reading.time / .seconds(1))
    }
}
