import Sharding

extension StepScheduler {
    /// Lets waiting sequences begin, as many as there is room for.
    mutating func admit(into operations: inout [SequenceOperation]) {
        while active.count < capacity.maxSequences, let index = nextWaiting(), begin(waiting[index], &operations) {
            waiting.remove(at: index)
        }
    }

    /// Of those that wait: the highest priority first, then those of whom the fewest run, then the first to come.
    private func nextWaiting() -> Int? {
        var runningCounts: [String: Int] = [:]
        for sequence in active.values { runningCounts[sequence.request.owner, default: 0] += 1 }
        var best: (index: Int, priority: Int, running: Int)?
        for (index, sequence) in waiting.enumerated() where !sequence.awaitsOutput {
            let request = sequence.request
            let running = runningCounts[request.owner] ?? 0
            if let best, (best.priority, -best.running) >= (request.priority, -running) { continue }
            // Looked at last: it compares tokens.
            if isFollowing(sequence) { continue }
            best = (index, request.priority, running)
        }
        return best?.index
    }

    /// Whether more of its prompt than is there already is on its way to the stages, for another sequence.
    private func isFollowing(_ sequence: ActiveSequence) -> Bool {
        guard capacity.sharesPrefixes, sequence.kind == .generate, sequence.tokens.count > PrefixIndex.stride else {
            return false
        }
        let coming =
            active.values.map { other in
                guard other.kind == .generate, !other.isDecoding else { return 0 }
                let common = Self.commonCount(other.tokens[...], sequence.tokens.dropLast())
                return common > other.sentCount ? common : 0
            }.max() ?? 0
        return coming >= PrefixIndex.stride && coming > sharedPrefix(of: sequence)?.length ?? 0
    }

    /// False where there is no room.
    private mutating func begin(_ sequence: ActiveSequence, _ operations: inout [SequenceOperation]) -> Bool {
        let id = sequence.id
        var sequence = sequence
        let prefix = sharedPrefix(of: sequence)
        ledger.begin(id, sharing: prefix?.sequence, length: prefix?.length ?? 0)
        var freed: [SequenceOperation] = []
        let positions = sequence.kind == .diagnostic ? capacity.contextLength : sequence.tokens.count
        var hasRoom = ledger.grow(id, to: positions)
        while !hasRoom, !retained.isEmpty {
            freed.append(.free(forgetOldestState()))
            hasRoom = ledger.grow(id, to: positions)
        }
        if hasRoom {
            sequence.begin(with: prefix?.length ?? 0)
            if sequence.kind != .diagnostic, !sequence.hasRun {
                begun.append(.begun(id, cachedTokens: sequence.cachedCount))
            }
            active[id] = sequence
            turns.append(id)
            // Before what it begins with is freed.
            operations.append(.begin(id, sequence.start(with: prefix)))
            if let parent = prefix?.sequence, let tokens = retained.removeValue(forKey: parent) {
                retained[parent] = tokens
            }
        } else {
            ledger.release(id)
        }
        operations += freed
        return hasRoom
    }

    /// What the stages hold of the same tokens; a prompt's last row is always computed, as its logits are wanted.
    private func sharedPrefix(of sequence: ActiveSequence) -> SharedPrefix? {
        guard sequence.kind == .generate else { return nil }
        let tokens = sequence.tokens.dropLast()
        guard let holder = prefixes.holder(of: tokens) else { return nil }
        let held = active[holder].map { $0.tokens.prefix($0.sentCount) } ?? retained[holder]?[...] ?? []
        let length = Self.commonCount(held, tokens)
        return length >= PrefixIndex.stride ? SharedPrefix(sequence: holder, length: length) : nil
    }

    private static func commonCount(_ one: ArraySlice<TokenID>, _ other: ArraySlice<TokenID>) -> Int {
        var count = 0
        for (token, otherToken) in zip(one, other) {
            guard token == otherToken else { break }
            count += 1
        }
        return count
    }

    // MARK: Room for rows

    /// Room for a sequence's rows up to a position: states that are only kept go first, then sequences that came later
    /// have to wait, and are computed again when there is room.
    ///
    /// - Parameter taken: sequences whose rows are in the step already.
    /// - Returns: false where it has to wait itself.
    mutating func makeRoom(
        for id: SequenceID, positions: Int, besides taken: Set<SequenceID>, _ operations: inout [SequenceOperation]
    ) -> Bool {
        while !ledger.grow(id, to: positions) {
            if !retained.isEmpty {
                operations.append(.free(forgetOldestState()))
            } else if let victim = lastToCome(after: id, besides: taken) {
                suspend(victim)
                operations.append(.free(victim))
            } else {
                return false
            }
        }
        return true
    }

    private func lastToCome(after id: SequenceID, besides taken: Set<SequenceID>) -> SequenceID? {
        let priority = active[id]?.request.priority ?? 0
        return active.values.filter {
            $0.id != id && $0.kind != .diagnostic && !taken.contains($0.id)
                && ($0.request.priority, id) < (priority, $0.id)
        }.max { ($1.request.priority, $0.id) < ($0.request.priority, $1.id) }?.id
    }

    private mutating func suspend(_ id: SequenceID) {
        guard var sequence = active.removeValue(forKey: id) else { return }
        turns.removeAll { $0 == id }
        forgetState(of: id)
        sequence.suspend()
        waiting.prepend(sequence)
    }
}
