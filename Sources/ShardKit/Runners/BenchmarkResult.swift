import Measuring

/// How long a model takes to compute the logits of one sequence.
public struct BenchmarkResult: Sendable, Hashable {
    /// One time a run, in order.
    public let times: [Duration]
    /// Tokens of the sequence.
    public let tokenCount: Int

    /// - Parameter times: at least one.
    init(times: [Duration], tokenCount: Int) {
        precondition(!times.isEmpty, "a benchmark has runs")
        self.times = times
        self.tokenCount = tokenCount
    }

    public var mean: Duration { times.reduce(.zero, +) / times.count }
    public var median: Duration { .seconds(Spread(times.map { $0 / .seconds(1) }).median) }
    public var min: Duration { times.min() ?? .zero }
    public var max: Duration { times.max() ?? .zero }

    /// At the mean.
    public var tokensPerSecond: Double { Double(tokenCount) / (mean / .seconds(1)) }
}
