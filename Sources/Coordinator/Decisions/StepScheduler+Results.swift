import Sharding

extension StepScheduler {
    enum Completion: Sendable, Equatable {
        /// An answer to nothing that is asked: late, or twice.
        case ignored(String)
        /// The pipeline lost something; the epoch cannot go on.
        case fault(String)
        case events([SequenceEvent])
    }

    /// Takes a result in. Steps pass every stage in order, so one that overtakes shows that another was lost.
    mutating func complete(_ result: StepResult, wireBytes: Int, now: Duration) -> Completion {
        guard let oldest = inFlight.first, result.step >= oldest.id else {
            return .ignored("result of step \(result.step), which is not in flight")
        }
        guard result.step == oldest.id else {
            return .fault("step \(oldest.id) was lost: the result of step \(result.step) came before its own")
        }
        inFlight.removeFirst()
        noteProgress(now: now)
        count(wireBytes: wireBytes, rows: oldest.rows)
        pace.note(
            promptRows: oldest.promptRowCount, took: .nanoseconds(result.stageNanoseconds.max() ?? 0),
            stepsBetweenTokens: depth)
        dealing.note(
            tokenCount: oldest.decodeRowCount,
            isUndisturbed: oldest.promptRowCount == 0 && active.values.allSatisfy(\.isDecoding),
            sequenceCount: active.count, now: now)
        let asked = oldest.rows.filter(\.output.returnsSomething)
        let logitsRows = asked.count { $0.output == .logits }
        let (expected, overflow) = logitsRows.multipliedReportingOverflow(by: capacity.vocabularySize)
        guard !overflow, result.logits.count == expected else {
            return .fault("step \(result.step): expected \(expected) logits, got \(result.logits.count)")
        }
        var events = failures(in: result, rows: oldest.rows)
        if logitsRows > 0, let id = asked.first?.sequence, var sequence = self[id] {
            sequence.awaitsOutput = false
            self[id] = sequence
            events.append(.logits(id, result.logits))
        }
        // One that was cancelled meanwhile, or failed, has no use for what it asked for.
        for row in asked where row.output != .logits && self[row.sequence] != nil {
            guard let sequence = result.sequences.first(where: { $0.sequence == row.sequence }) else {
                return .fault("step \(result.step): expected a \(row.output) of sequence \(row.sequence), got none")
            }
            if let fault = take(sequence, of: row, now: now, into: &events) {
                return .fault("step \(result.step): \(fault)")
            }
        }
        return .events(events)
    }

    private mutating func take(
        _ result: SequenceResult, of row: StepRow, now: Duration, into events: inout [SequenceEvent]
    ) -> String? {
        guard let sequence = self[row.sequence] else { return nil }
        switch (result.outcome, row.output) {
        case (.failed, _): return nil
        case (.tokens(let accepted), .token):
            return take(accepted, result, of: sequence, row, now: now, into: &events)
        case (.mean(let values), .mean):
            return take(values, result, of: sequence, row, now: now, into: &events)
        default: return "sequence \(row.sequence): expected a \(row.output), got something else"
        }
    }

    private mutating func take(
        _ mean: [Float], _ result: SequenceResult, of sequence: ActiveSequence, _ row: StepRow, now: Duration,
        into events: inout [SequenceEvent]
    ) -> String? {
        guard mean.count == capacity.hiddenSize, result.position == row.position + 1 else {
            return "sequence \(row.sequence): expected \(capacity.hiddenSize) numbers at position \(row.position + 1), "
                + "got \(mean.count) at \(result.position)"
        }
        end(row.sequence)
        events.append(.embedded(row.sequence, Embedding(values: mean, timings: sequence.timings(at: now))))
        return nil
    }

    private mutating func take(
        _ accepted: [AcceptedToken], _ result: SequenceResult, of sequence: ActiveSequence, _ row: StepRow,
        now: Duration, into events: inout [SequenceEvent]
    ) -> String? {
        var sequence = sequence
        guard accepted.count == 1, result.position == row.position + 1 else {
            return "sequence \(row.sequence): expected 1 token at position \(row.position + 1), got "
                + "\(accepted.count) at \(result.position)"
        }
        guard accepted[0].token >= 0, Int(accepted[0].token) < capacity.vocabularySize else {
            return "sequence \(row.sequence): expected a token below \(capacity.vocabularySize), got "
                + "\(accepted[0].token)"
        }
        sequence.awaitsOutput = false
        sequence.samplerState = result.samplerState
        let finish = sequence.accept(accepted[0].token, at: now)
        self[row.sequence] = sequence
        events.append(.token(row.sequence, accepted[0]))
        if let finish {
            end(row.sequence)
            events.append(.finished(row.sequence, finish, sequence.timings(at: now)))
        }
        return nil
    }

    /// Ends the sequences that a stage could not go on with, whatever their rows asked for.
    private mutating func failures(in result: StepResult, rows: [StepRow]) -> [SequenceEvent] {
        var events: [SequenceEvent] = []
        for sequence in result.sequences {
            guard case .failed(let message) = sequence.outcome, self[sequence.sequence] != nil,
                rows.contains(where: { $0.sequence == sequence.sequence })
            else { continue }
            end(sequence.sequence, keepsState: false)
            events.append(.failed(sequence.sequence, EngineError(.failed, message)))
        }
        return events
    }

    /// Adds a step's bytes on the wire to its sequences, by their rows.
    private mutating func count(wireBytes: Int, rows: [StepRow]) {
        guard !rows.isEmpty else { return }
        let share = wireBytes / rows.count
        for row in rows { self[row.sequence]?.count(wireBytes: share) }
    }
}
