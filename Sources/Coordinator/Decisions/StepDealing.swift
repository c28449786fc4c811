/// Into how many steps, on their way at the same time, the sequences that generate are dealt: found by trying.
///
/// One for each worker keeps all of them busy. Workers that share the bus to their memory can be faster with fewer, larger
/// steps, which read the weights less often; and workers that are far away with one more, which is on its way meanwhile.
struct StepDealing: Sendable {
    /// Counts of steps to choose from; the first is taken until others were tried.
    private let choices: [Int]
    /// By how many sequences generate, then by choice.
    private var rates: [Int: [Int: Double]] = [:]
    private var window = Window()
    /// By how many sequences generate: windows measured.
    private var windowCounts: [Int: Int] = [:]

    /// A run of steps under one choice, with the same sequences and no prompts.
    private struct Window: Sendable {
        var sequenceCount = 0
        var choice = 0
        /// Steps that were on their way when it began, or are needed until the stages are as full as they will be.
        var ignoredCount = 0
        var stepCount = 0
        var tokenCount = 0
        var since = Duration.zero
    }

    /// Of a window; what disturbs one step disturbs a part of it alone.
    private static let stepsMin = 12
    /// Another choice must be better by so much: what is measured moves.
    private static let margin = 1.04
    /// Of what was measured before, in what is believed after another window.
    private static let memory = 0.5
    /// One window in so many tries what is not the best.
    private static let trialEvery = 48

    /// - Parameters:
    ///   - depth: workers that a step passes.
    ///   - machineCount: on which they run.
    init(depth: Int, machineCount: Int) {
        choices = depth > 1 ? [depth, depth + 1] + (machineCount < depth ? [max(1, machineCount)] : []) : [1]
    }

    /// How many steps are to be on their way while so many sequences generate.
    func stepCount(for sequenceCount: Int) -> Int {
        guard let first = choices.first, sequenceCount > 1 else { return 1 }
        if window.sequenceCount == sequenceCount { return window.choice }
        return best(for: sequenceCount) ?? min(first, sequenceCount)
    }

    private func candidates(for sequenceCount: Int) -> [Int] {
        let possible = choices.filter { $0 <= sequenceCount }
        return possible.isEmpty ? [sequenceCount] : possible
    }

    /// The first of those that were tried, unless another is clearly better; nil before any was.
    private func best(for sequenceCount: Int) -> Int? {
        guard let known = rates[sequenceCount] else { return nil }
        var best: (choice: Int, rate: Double)?
        for choice in candidates(for: sequenceCount) {
            guard let rate = known[choice] else { continue }
            if let best, rate <= best.rate * Self.margin { continue }
            best = (choice, rate)
        }
        return best?.choice
    }

    /// A step has come back.
    ///
    /// - Parameters:
    ///   - tokenCount: which it brought to sequences that generate.
    ///   - isUndisturbed: no prompt is on its way.
    ///   - sequenceCount: that generate now.
    mutating func note(tokenCount: Int, isUndisturbed: Bool, sequenceCount: Int, now: Duration) {
        guard isUndisturbed, candidates(for: sequenceCount).count > 1 else {
            window = Window()
            return
        }
        guard window.sequenceCount == sequenceCount else {
            begin(next(for: sequenceCount), sequenceCount, now)
            return
        }
        guard window.ignoredCount == 0 else {
            window.ignoredCount -= 1
            window.since = now
            return
        }
        window.stepCount += 1
        window.tokenCount += tokenCount
        // Whole rounds: the steps of one round may differ by a sequence.
        guard window.stepCount >= Self.stepsMin, window.stepCount % window.choice == 0, now > window.since else {
            return
        }
        let rate = Double(window.tokenCount) / ((now - window.since) / .seconds(1))
        let before = rates[sequenceCount]?[window.choice]
        rates[sequenceCount, default: [:]][window.choice] =
            before.map { $0 * Self.memory + rate * (1 - Self.memory) } ?? rate
        windowCounts[sequenceCount, default: 0] += 1
        begin(next(for: sequenceCount), sequenceCount, now)
    }

    private mutating func begin(_ choice: Int, _ sequenceCount: Int, _ now: Duration) {
        let isSame = choice == window.choice && sequenceCount == window.sequenceCount
        window = Window(sequenceCount: sequenceCount, choice: choice, since: now)
        if !isSame { window.ignoredCount = 2 * (choices.max() ?? 1) }
    }

    /// What was not tried yet, else the best; now and then another one, as what was slow may be so no longer.
    private func next(for sequenceCount: Int) -> Int {
        let candidates = candidates(for: sequenceCount)
        if let untried = candidates.first(where: { rates[sequenceCount]?[$0] == nil }) { return untried }
        let best = best(for: sequenceCount) ?? candidates[0]
        let count = windowCounts[sequenceCount] ?? 0
        guard count % Self.trialEvery == 0 else { return best }
        let others = candidates.filter { $0 != best }
        return others[count / Self.trialEvery % others.count]
    }
}
