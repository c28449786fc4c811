import Sharding

extension StepScheduler {
    /// The next steps to send, as many as fit in flight.
    mutating func nextSteps(now: Duration) -> [Step] {
        guard epoch != nil else { return [] }
        var steps: [Step] = []
        while inFlight.count < stepsInFlightMax, let step = makeStep(now: now) {
            if inFlight.isEmpty { noteProgress(now: now) }
            inFlight.append(StepInFlight(id: step.id, rows: step.rows, sentAt: now))
            steps.append(step)
        }
        return steps
    }

    /// One for each worker to compute, one on its way.
    var stepsInFlightMax: Int { depth + 1 }

    private mutating func makeStep(now: Duration) -> Step? {
        // A sequence's room is free for others from the step on that frees it: operations stand before rows.
        var operations = frees.map { SequenceOperation.free($0) }
        admit()
        var rows: [StepRow] = []
        if let id = turns.first(where: { active[$0]?.kind == .diagnostic && (active[$0]?.pendingCount ?? 0) > 0 }) {
            take(id, upTo: capacity.maxRows, &operations, &rows, now)
        } else {
            takeDecodes(&operations, &rows, now)
            takePrompts(&operations, &rows, now)
        }
        guard !operations.isEmpty || !rows.isEmpty else { return nil }
        frees.removeAll()
        defer { nextStep += 1 }
        return Step(id: nextStep, operations: operations, rows: rows)
    }

    private var stepRowsMax: Int { min(capacity.maxRows, rowsMax) }

    private mutating func admit() {
        while let first = waiting.first, hasRoom(for: first.reservedPositions) {
            waiting.removeFirst()
            usedPositions += first.reservedPositions
            active[first.id] = first
            turns.append(first.id)
        }
    }

    private mutating func takeDecodes(
        _ operations: inout [SequenceOperation], _ rows: inout [StepRow], _ now: Duration
    ) {
        let decoding = active.values.count { $0.isDecoding }
        let share = min(stepRowsMax, (decoding + depth - 1) / depth)
        for id in turns where rows.count < share {
            guard let sequence = active[id], sequence.isDecoding, sequence.pendingCount > 0 else { continue }
            take(id, upTo: 1, &operations, &rows, now)
        }
        rotate(past: rows)
    }

    private mutating func takePrompts(
        _ operations: inout [SequenceOperation], _ rows: inout [StepRow], _ now: Duration
    ) {
        let decodeRows = rows.count
        for id in turns where rows.count < stepRowsMax {
            guard let sequence = active[id], sequence.kind == .generate, !sequence.isDecoding else { continue }
            take(id, upTo: stepRowsMax - rows.count, &operations, &rows, now)
        }
        rotate(past: Array(rows[decodeRows...]))
    }

    private mutating func take(
        _ id: SequenceID, upTo count: Int, _ operations: inout [SequenceOperation], _ rows: inout [StepRow],
        _ now: Duration
    ) {
        guard var sequence = active[id] else { return }
        if !sequence.hasBegun {
            sequence.hasBegun = true
            let start = SequenceStart(
                tokens: sequence.tokens, sampling: sequence.request.sampling, choice: sequence.request.choice)
            operations.append(.begin(id, start))
        }
        sequence.started(at: now)
        let end = min(sequence.tokens.count, sequence.sentCount + count)
        for position in sequence.sentCount..<end {
            let output: RowOutput =
                sequence.kind == .diagnostic ? .logits : position == sequence.tokens.count - 1 ? .token : .none
            rows.append(
                StepRow(sequence: id, position: position, token: sequence.tokens[position], output: output))
            if output != .none { sequence.awaitsOutput = true }
        }
        sequence.sentCount = end
        active[id] = sequence
    }

    /// Those that were served go to the back.
    private mutating func rotate(past rows: [StepRow]) {
        let served = Set(rows.map(\.sequence))
        guard !served.isEmpty, served.count < turns.count else { return }
        let back = turns.filter { served.contains($0) }
        turns.removeAll { served.contains($0) }
        turns += back
    }
}
