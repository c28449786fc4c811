import Sharding

extension Simulation {
    private static let tickInterval = Duration.milliseconds(50).nanoseconds
    private static let beatInterval = HeartbeatSettings().interval.nanoseconds

    /// What happens by itself, and when next.
    struct Timers {
        var request: Int?
        var tick = 0
        var beat = 0
        var beatIndex = 0
    }

    /// Lets a load come, and looks at it for a while.
    ///
    /// - Parameters:
    ///   - warmUp: seconds before the window opens; where requests are kept up, all of the first have had a token by then,
    ///     too.
    ///   - seconds: of the window.
    package mutating func run(
        _ load: SimulatedLoad, warmUp: Double, seconds: Double
    ) throws -> SimulationReport {
        source = RequestSource(load, vocabularySize: setup.vocabularySize)
        let start = max(now, freeAt)
        meter = SimulationMeter()
        endedCount = 0
        if case .kept(let count) = load.arrivals {
            for _ in 0..<count {
                guard let id = submitNext() else {
                    throw SimulationError("\(count) requests: the cluster takes fewer")
                }
                meter.awaitFirst(of: id)
            }
        }
        timers.request = source?.nextWait().map { start + $0 }
        let opensAt = start + Int(warmUp * 1e9)
        while true {
            handleNext()
            try checkFailure()
            if case .kept = load.arrivals {
                for _ in 0..<endedCount { _ = submitNext() }
            }
            endedCount = 0
            if let window = meter.window {
                if max(now, freeAt) >= window.upperBound { break }
            } else if now >= opensAt, meter.isPastFirst {
                openWindow(nanoseconds: Int(seconds * 1e9))
            }
        }
        return try report(seconds: seconds)
    }

    private mutating func submitNext() -> SequenceID? {
        guard let request = source?.next() else { return nil }
        return submit(request)
    }

    /// Whatever comes next; of what comes together results first.
    mutating func handleNext() {
        let next = min(nextReturn ?? .max, timers.request ?? .max, timers.tick, timers.beat)
        now = max(now, next)
        if nextReturn == next {
            takeResult()
        } else if timers.request == next {
            _ = submitNext()
            timers.request = source?.nextWait().map { next + $0 }
        } else if timers.tick == next {
            tick()
            timers.tick = max(now, freeAt) + Self.tickInterval
        } else {
            beat(timers.beatIndex)
            timers.beatIndex = (timers.beatIndex + 1) % workers.count
            timers.beat += Self.beatInterval / workers.count
        }
    }
}
