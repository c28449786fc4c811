import Sharding

/// Counts what happens while its window is open.
struct SimulationMeter {
    /// nil before it is known when it opens.
    var window: Range<Int>?
    private(set) var counts = SimulationReport.Counts()
    private(set) var coordinator = CoordinatorTime()
    /// Nanoseconds from a sequence's token to its next one, and from a request to its first token.
    private(set) var gaps: [Int] = []
    private(set) var firsts: [Int] = []
    private var requestedAt: [SequenceID: Int] = [:]
    private var lastTokenAt: [SequenceID: Int] = [:]
    private var awaited: Set<SequenceID> = []

    /// Whether all that it was to wait for have had a token.
    var isPastFirst: Bool { awaited.isEmpty }

    mutating func awaitFirst(of id: SequenceID) { awaited.insert(id) }

    /// - Parameter id: nil of a request that was turned away.
    mutating func noteRequest(_ id: SequenceID?, at now: Int) {
        if let id { requestedAt[id] = now }
        guard isOpen(at: now) else { return }
        counts.requests += 1
        if id == nil { counts.refused += 1 }
    }

    mutating func noteStep(at now: Int) { if isOpen(at: now) { counts.steps += 1 } }

    mutating func noteToken(of id: SequenceID, at now: Int) {
        let last = lastTokenAt.updateValue(now, forKey: id)
        if last == nil { awaited.remove(id) }
        guard isOpen(at: now) else { return }
        counts.tokens += 1
        if let last {
            gaps.append(now - last)
        } else if let requested = requestedAt[id] {
            firsts.append(now - requested)
        }
    }

    mutating func noteEnd(of id: SequenceID) {
        requestedAt[id] = nil
        lastTokenAt[id] = nil
    }

    mutating func note(_ nanoseconds: Int, for part: WritableKeyPath<CoordinatorTime, Duration>, at now: Int) {
        if isOpen(at: now) { coordinator[keyPath: part] += .nanoseconds(nanoseconds) }
    }

    private func isOpen(at now: Int) -> Bool { window?.contains(now) ?? false }
}
