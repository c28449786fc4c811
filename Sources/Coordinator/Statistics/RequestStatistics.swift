import Sharding

/// Counts and times of requests: those that run, and sums over those that have ended.
struct RequestStatistics: Sendable {
    private struct Running: Sendable {
        var submittedAt: Duration
        var promptTokens: Int
        var hasEntered = false
        var begunAt: Duration?
        var firstTokenAt: Duration?
        var lastTokenAt: Duration?
        var generated = 0
    }

    private(set) var counts = EngineSnapshot.Requests()
    private(set) var tokens = EngineSnapshot.Tokens()
    private(set) var times = EngineSnapshot.Times()
    private var running: [SequenceID: Running] = [:]

    /// Whether it was taken in and has not ended.
    func isRunning(_ id: SequenceID) -> Bool { running[id] != nil }

    mutating func submitted(_ id: SequenceID, promptTokens: Int, now: Duration) {
        running[id] = Running(submittedAt: now, promptTokens: promptTokens)
    }

    mutating func rejected(_ code: EngineError.Code) { counts.rejected[code.label, default: 0] &+= 1 }

    /// It enters the stages; one that has begun before enters them again.
    mutating func entered(_ id: SequenceID) {
        if running[id]?.hasEntered == true { counts.replayed &+= 1 }
        running[id]?.hasEntered = true
    }

    /// What is none of the requests that were submitted, such as a diagnostic, does not count.
    ///
    /// - Returns: the request that has ended with this.
    mutating func delivered(_ event: SequenceEvent, now: Duration) -> EndedRequest? {
        switch event {
        case .begun(let id, let cachedTokens):
            begun(id, cachedTokens: cachedTokens, now: now)
            return nil
        case .token(let id, _):
            token(id, now: now)
            return nil
        case .finished(let id, let reason, _):
            guard let request = end(id, reason.rawValue, now: now) else { return nil }
            switch reason {
            case .stop: counts.stopped &+= 1
            case .length: counts.limited &+= 1
            case .cancelled: counts.cancelled &+= 1
            }
            return request
        case .failed(let id, _):
            guard let request = end(id, "failed", now: now) else { return nil }
            counts.failed &+= 1
            return request
        case .embedded(let id, _):
            guard let request = end(id, "embedded", now: now) else { return nil }
            counts.embedded &+= 1
            return request
        case .logits:
            return nil
        }
    }

    private mutating func begun(_ id: SequenceID, cachedTokens: Int, now: Duration) {
        guard let request = running[id], request.begunAt == nil else { return }
        running[id]?.begunAt = now
        times.queue.note(now - request.submittedAt)
        tokens.prompt &+= UInt64(clamping: request.promptTokens)
        tokens.cached &+= UInt64(clamping: cachedTokens)
    }

    private mutating func token(_ id: SequenceID, now: Duration) {
        guard let request = running[id] else { return }
        tokens.generated &+= 1
        if let last = request.lastTokenAt {
            times.betweenTokens.note(now - last)
        } else {
            times.firstToken.note(now - request.submittedAt)
            running[id]?.firstTokenAt = now
        }
        running[id]?.lastTokenAt = now
        running[id]?.generated += 1
    }

    private mutating func end(_ id: SequenceID, _ outcome: String, now: Duration) -> EndedRequest? {
        guard let request = running.removeValue(forKey: id) else { return nil }
        times.request.note(now - request.submittedAt)
        return EndedRequest(
            id: id, outcome: outcome, promptTokens: request.promptTokens, generatedTokens: request.generated,
            submittedAt: request.submittedAt, begunAt: request.begunAt, firstTokenAt: request.firstTokenAt, endedAt: now
        )
    }
}

/// A request that has ended, with the times of its parts.
struct EndedRequest: Sendable, Hashable {
    var id: SequenceID
    /// A finish reason, `embedded`, or `failed`.
    var outcome: String
    var promptTokens: Int
    var generatedTokens: Int
    var submittedAt: Duration
    /// nil where it never left the queue.
    var begunAt: Duration?
    var firstTokenAt: Duration?
    var endedAt: Duration
}

extension EngineError.Code {
    /// As monitors read it.
    var label: String {
        switch self {
        case .invalidRequest: "invalid_request"
        case .contextLengthExceeded: "context_length_exceeded"
        case .overloaded: "overloaded"
        case .unavailable: "unavailable"
        case .failed: "failed"
        }
    }
}
