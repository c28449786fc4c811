import Collections
import Sharding

/// What stages and steps did in the last seconds, for a picture of the pipeline.
struct RecentActivity: Sendable {
    static let binCount = 100
    static let binSeconds = 0.1
    static let stepsMax = 64

    /// Seconds that each stage computed in each bin; bin `n` since the start lies at `n % binCount`.
    private var busy: [[Double]]
    private var tokens = [Int](repeating: 0, count: binCount)
    private var steps: Deque<EngineSnapshot.Step> = []
    private var newestBin = 0

    init(stageCount: Int) {
        busy = Array(repeating: Array(repeating: 0, count: Self.binCount), count: stageCount)
    }

    private static func bin(_ seconds: Double) -> Int { Int(seconds / binSeconds) }

    /// Empties the bins that time has come to.
    private mutating func advance(to seconds: Double) {
        let bin = Self.bin(seconds)
        guard bin > newestBin else { return }
        for passed in max(newestBin + 1, bin - Self.binCount + 1)...bin {
            tokens[passed % Self.binCount] = 0
            for stage in busy.indices { busy[stage][passed % Self.binCount] = 0 }
        }
        newestBin = bin
    }

    mutating func noteToken(now: Duration) {
        advance(to: now.seconds)
        tokens[newestBin % Self.binCount] += 1
    }

    mutating func note(_ step: EngineSnapshot.Step) {
        advance(to: step.arrivedSeconds)
        for (stage, (start, length)) in zip(step.startSeconds, step.computeSeconds).enumerated() {
            note(stage: stage, from: start, to: start + length)
        }
        if steps.count == Self.stepsMax { steps.removeFirst() }
        steps.append(step)
    }

    private mutating func note(stage: Int, from start: Double, to end: Double) {
        guard busy.indices.contains(stage) else { return }
        var bin = max(Self.bin(start), newestBin - Self.binCount + 1, 0)
        while bin <= min(Self.bin(end), newestBin) {
            let low = max(start, Double(bin) * Self.binSeconds)
            let high = min(end, Double(bin + 1) * Self.binSeconds)
            busy[stage][bin % Self.binCount] += max(0, high - low)
            bin += 1
        }
    }

    func snapshot(now: Duration) -> EngineSnapshot.Recent {
        var current = self
        current.advance(to: now.seconds)
        let order = (0..<Self.binCount).map { (current.newestBin + 1 + $0) % Self.binCount }
        var recent = EngineSnapshot.Recent()
        recent.binSeconds = Self.binSeconds
        recent.endSeconds = Double(current.newestBin + 1) * Self.binSeconds
        recent.busy = current.busy.map { bins in
            order.map { min(1, (bins[$0] / Self.binSeconds * 1000).rounded() / 1000) }
        }
        recent.tokens = order.map { current.tokens[$0] }
        recent.steps = Array(current.steps)
        return recent
    }
}
