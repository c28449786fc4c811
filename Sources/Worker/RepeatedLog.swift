/// Lets one line through each interval, and counts what it held back: a flood from a peer must not flood the log.
struct RepeatedLog {
    private let interval: Duration
    private var next: ContinuousClock.Instant?
    private var heldBack = 0

    init(interval: Duration = .seconds(1)) { self.interval = interval }

    /// The line to log now, or nil.
    mutating func line(_ text: @autoclosure () -> String, now: ContinuousClock.Instant) -> String? {
        if let next, now < next {
            heldBack += 1
            return nil
        }
        defer { heldBack = 0 }
        next = now + interval
        return heldBack == 0 ? text() : "\(text()) (and \(heldBack) more before)"
    }
}
