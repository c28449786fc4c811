import Logging

/// Logs at most one line a second, and says how many it held back: a flood from a peer must not flood the log.
struct RepeatedLine {
    private static let interval = Duration.seconds(1)

    private let logger: Logger
    private var next: ContinuousClock.Instant?
    private var heldBack = 0

    init(_ logger: Logger) { self.logger = logger }

    mutating func warn(_ text: @autoclosure () -> String, now: ContinuousClock.Instant = .now) {
        if let next, now < next {
            heldBack += 1
            return
        }
        next = now + Self.interval
        let more = heldBack == 0 ? "" : " (and \(heldBack) more before)"
        heldBack = 0
        logger.warning("\(text())\(more)")
    }
}
