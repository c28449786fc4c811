/// Finds out which way of reading is fastest, with reads that are needed anyway.
package struct ReadTrials {
    package struct Result: Sendable, Hashable {
        package var settings: ReadSettings
        package var bytesPerSecond: Double
    }

    /// Less than that is over before it says anything.
    private static let bytesMin = 4 << 20

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

    mutating func record(_ settings: ReadSettings, bytes: Int, time: Duration) {
        let rate = Double(bytes) / max(1e-9, time / .seconds(1))
        if best.map({ rate > $0.bytesPerSecond }) ?? true {
            best = Result(settings: settings, bytesPerSecond: rate)
        }
    }
}
