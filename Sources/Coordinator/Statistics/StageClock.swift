/// When each stage computed each step, derived at the coordinator: known are when a step was sent, when its result came, and
/// how long each stage computed it.
///
/// Stages compute in the order of steps, one at a time. A step is taken to have begun at each stage as soon as it could
/// have; what time is left before its result came is dealt evenly to the hops. So a span is wrong by at most the time that
/// the step was on the wire.
struct StageClock: Sendable {
    /// Until when each stage computed the step before; ascending.
    private var freeAt: [Duration]

    init(stageCount: Int) { freeAt = Array(repeating: .zero, count: stageCount) }

    /// Spans of the next step, a stage each: within `sent..<arrived`, after one another, and after those of the step
    /// before at the same stage.
    ///
    /// - Parameters:
    ///   - compute: of each stage; more than fits is cut.
    ///   - arrived: not before the one of the step before.
    mutating func place(compute: [Duration], sent: Duration, arrived: Duration) -> [Range<Duration>] {
        var starts: [Duration] = []
        var ends: [Duration] = []
        var ready = sent
        for (free, time) in zip(freeAt, compute) {
            let start = max(ready, free)
            ready = start + max(.zero, time)
            starts.append(start)
            ends.append(ready)
        }
        let hop = max(.zero, arrived - ready) / (starts.count + 1)
        var limit = arrived
        for index in starts.indices.reversed() {
            let end = min(ends[index] + hop * (index + 1), limit)
            let length = ends[index] - starts[index]
            starts[index] = min(end, max(freeAt[index], sent, end - length))
            ends[index] = end
            limit = starts[index]
        }
        for index in ends.indices { freeAt[index] = max(freeAt[index], ends[index]) }
        return zip(starts, ends).map { $0..<max($0, $1) }
    }
}
