import Sharding

/// How text is generated. What is nil is as the model's generation config says, else greedy.
public struct GenerationOptions: Sendable, Hashable {
    /// Tokens at most, the ending one included; nil: until the context is full.
    public var maxTokens: Int?
    /// 0 is greedy; higher is more varied.
    public var temperature: Float?
    /// Chooses among this many likeliest tokens; 0 is all.
    public var topK: Int?
    /// Chooses among the likeliest tokens that reach this probability together; 1 is all.
    public var topP: Float?
    /// Chooses among tokens at least this times as likely as the likeliest; 0 is all.
    public var minP: Float?
    /// Above 1 makes tokens that were there before less likely.
    public var repetitionPenalty: Float?
    /// Equal seeds give equal texts.
    public var seed: UInt64
    /// Texts that end the answer and are not part of it.
    public var stops: [String]
    /// Whether to go on after tokens that end an answer.
    public var ignoresEnd: Bool

    public init(
        maxTokens: Int? = nil, temperature: Float? = nil, topK: Int? = nil, topP: Float? = nil, minP: Float? = nil,
        repetitionPenalty: Float? = nil, seed: UInt64 = 0, stops: [String] = [], ignoresEnd: Bool = false
    ) {
        self.maxTokens = maxTokens
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.seed = seed
        self.stops = stops
        self.ignoresEnd = ignoresEnd
    }

    func sampling(_ defaults: SamplingParameters) throws(ShardKitError) -> SamplingParameters {
        try check("maxTokens", maxTokens, in: 1...Int(Int32.max))
        try check("temperature", temperature, in: 0...100)
        try check("topK", topK, in: 0...Int(Int32.max))
        try check("topP", topP, in: 0...1)
        try check("minP", minP, in: 0...1)
        try check("repetitionPenalty", repetitionPenalty, in: 0.01...100)
        var sampling = defaults
        sampling.temperature = temperature ?? defaults.temperature
        sampling.topK = topK ?? defaults.topK
        sampling.topP = topP ?? defaults.topP
        sampling.minP = minP ?? defaults.minP
        sampling.repetitionPenalty = repetitionPenalty ?? defaults.repetitionPenalty
        sampling.seed = seed
        return sampling
    }

    private func check<Value: Comparable>(
        _ name: String, _ value: Value?, in range: ClosedRange<Value>
    ) throws(ShardKitError) {
        guard let value, !range.contains(value) else { return }
        throw ShardKitError(
            .request, "options: \(name): expected \(range.lowerBound) to \(range.upperBound), got \(value)")
    }
}
