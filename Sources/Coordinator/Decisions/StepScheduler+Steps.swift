import Sharding

extension StepScheduler {
    /// The next steps to send, as many as fit in flight.
    mutating func nextSteps(now: Duration) -> [Step] {
        guard epoch != nil else { return [] }
        var steps: [Step] = []
        while inFlight.count < stepsInFlightMax, let step = makeStep(now: now) {
            if inFlight.isEmpty { noteProgress(now: now) }
            steps.append(step)
        }
        return steps
    }

    /// One for each worker to compute, one on its way.
    private var stepsInFlightMax: Int { depth + 1 }

    /// What a step is put together from.
    private struct Draft {
        var operations: [SequenceOperation]
        var rows: [StepRow] = []
        var sequences: Set<SequenceID> = []
        /// Rows that return a mean.
        var meanCount = 0
    }

    private mutating func makeStep(now: Duration) -> Step? {
        let load = decodeLoad
        // Beside others that generate, prompts come along with their steps: one of their own on the way would be another
        // that all of them wait for.
        guard inFlight.count < depth || load.sequenceCount == 0 || load.share > 0 else { return nil }
        // A sequence's room is free for others from the step on that frees it: operations stand before rows.
        var draft = Draft(operations: frees.map { .free($0) })
        frees.removeAll()
        admit(into: &draft.operations)
        var decodeRowCount = 0
        if let id = turns.first(where: { active[$0]?.kind == .diagnostic && (active[$0]?.pendingCount ?? 0) > 0 }) {
            take(id, upTo: capacity.maxRows, &draft, now)
        } else {
            // Those that were just let in may have but one row to compute.
            let load = decodeLoad
            takeDecodes(upTo: load.share, &draft, now)
            decodeRowCount = draft.rows.count
            takePrompts(upTo: promptRowsMax(decodingCount: load.sequenceCount), &draft, now)
        }
        guard !draft.operations.isEmpty || !draft.rows.isEmpty else { return nil }
        rotate(past: draft.sequences)
        defer { nextStep += 1 }
        inFlight.append(
            StepInFlight(
                id: nextStep, rows: draft.rows, promptRowCount: draft.rows.count - decodeRowCount, sentAt: now))
        return Step(id: nextStep, operations: draft.operations, rows: draft.rows)
    }

    /// How many sequences generate, and how many rows of them the next step may have: none while as many steps with such rows
    /// are on their way as there should be.
    private var decodeLoad: (sequenceCount: Int, share: Int) {
        let decoding = active.values.lazy.filter(\.isDecoding)
        let count = decoding.count
        let stepCount = dealing.stepCount(for: count)
        guard inFlight.count(where: { $0.decodeRowCount > 0 }) < stepCount,
            decoding.contains(where: { $0.pendingCount > 0 })
        else { return (count, 0) }
        return (count, (count + stepCount - 1) / stepCount)
    }

    private var stepRowsMax: Int { min(capacity.maxRows, rowsMax) }

    private mutating func takeDecodes(upTo share: Int, _ draft: inout Draft, _ now: Duration) {
        let end = min(stepRowsMax, share)
        for id in turns where draft.rows.count < end {
            guard let sequence = active[id], sequence.isDecoding, sequence.pendingCount > 0 else { continue }
            take(id, upTo: 1, &draft, now)
        }
    }

    private mutating func takePrompts(upTo count: Int, _ draft: inout Draft, _ now: Duration) {
        let end = min(stepRowsMax, draft.rows.count + count)
        for id in promptOrder where draft.rows.count < end {
            if draft.meanCount >= meansMax, active[id]?.kind == .embed { continue }
            take(id, upTo: end - draft.rows.count, &draft, now)
        }
    }

    /// In one result.
    private var meansMax: Int { max(1, WireLimits.meanElementsMax / max(1, capacity.hiddenSize)) }

    /// Of one step. Where others generate, their pauses bound it; a prompt that has the stages to itself follows in
    /// chunks so small that all of them soon have one.
    private func promptRowsMax(decodingCount: Int) -> Int {
        if decodingCount > 0 { return pace.rowsMax }
        return chunkRows
    }

    /// The shortest rest first, so that a short prompt need not wait for long ones; in every fourth step in turn, so that
    /// these go on.
    private var promptOrder: [SequenceID] {
        let prompts = turns.filter {
            guard let sequence = active[$0] else { return false }
            return sequence.kind != .diagnostic && !sequence.isDecoding && sequence.pendingCount > 0
        }
        guard nextStep % 4 != 0 else { return Array(prompts) }
        return prompts.enumerated().sorted {
            (active[$0.element]?.pendingCount ?? 0, $0.offset) < (active[$1.element]?.pendingCount ?? 0, $1.offset)
        }.map(\.element)
    }

    private mutating func take(_ id: SequenceID, upTo count: Int, _ draft: inout Draft, _ now: Duration) {
        guard let end = active[id].map({ min($0.tokens.count, $0.sentCount + count) }),
            makeRoom(for: id, positions: end, besides: draft.sequences, &draft.operations),
            var sequence = active[id]
        else { return }
        sequence.started(at: now)
        for position in sequence.sentCount..<end {
            let row = StepRow(
                sequence: id, position: position, token: sequence.tokens[position],
                output: sequence.output(at: position))
            draft.rows.append(row)
            if row.output.returnsSomething { sequence.awaitsOutput = true }
            if row.output == .mean { draft.meanCount += 1 }
        }
        sequence.sentCount = end
        active[id] = sequence
        draft.sequences.insert(id)
        if capacity.sharesPrefixes, sequence.kind == .generate { prefixes.note(id, holds: sequence.tokens.prefix(end)) }
    }

    /// Those that were served go to the back.
    private mutating func rotate(past served: Set<SequenceID>) {
        guard !served.isEmpty, served.count < turns.count else { return }
        let back = turns.filter { served.contains($0) }
        turns.removeAll { served.contains($0) }
        turns += back
    }
}
