import ArgumentParser
import ShardKit
import Sharding
import Terminal

/// How text is generated, for `run` and `chat`. What is not given comes from the model's generation config, else greedy.
struct GenerationOptions: ParsableArguments {
    @Option(help: "Tokens to generate at most, the ending one included; by default until the context is full.")
    var maxTokens: Int?

    @Option(help: "0 is greedy; higher is more varied.")
    var temperature: Float?

    @Option(help: "Choose among the K likeliest tokens; 0 is all.")
    var topK: Int?

    @Option(help: "Choose among the likeliest tokens that reach this probability together; 1 is all.")
    var topP: Float?

    @Option(help: "Choose among tokens at least this times as likely as the likeliest; 0 is all.")
    var minP: Float?

    @Option(help: "Above 1 makes tokens that were there before less likely.")
    var repetitionPenalty: Float?

    @Option(help: "Equal seeds give equal answers; random by default.")
    var seed: UInt64?

    @Option(help: "Text that ends the answer, and is not part of it; may be given several times.")
    var stop: [String] = []

    @Flag(help: "Go on after tokens that end an answer.")
    var ignoreEos = false

    @Option(help: "Positions for prompt and answer together; by default the model's, at most 8192.")
    var context: Int?

    @Option(help: "Type of cached keys and values: f32, f16 or q8_0.")
    var kvType: CacheType = .f16

    @Flag(help: "Print one JSON object instead of streaming text.")
    var json = false

    private static let contextDefaultMax = 8192

    func validate() throws {
        try check("--max-tokens", maxTokens, isFine: { $0 >= 1 }, "at least 1")
        try check("--temperature", temperature, isFine: { $0 >= 0 && $0 <= 100 }, "0 to 100")
        try check("--top-k", topK, isFine: { $0 >= 0 }, "at least 0")
        try check("--top-p", topP, isFine: { $0 > 0 && $0 <= 1 }, "above 0, at most 1")
        try check("--min-p", minP, isFine: { $0 >= 0 && $0 <= 1 }, "0 to 1")
        try check(
            "--repetition-penalty", repetitionPenalty,
            isFine: { SamplingParameters.repetitionPenaltyRange.contains($0) }, "0.01 to 100")
        try check("--context", context, isFine: { $0 >= 1 && $0 <= 1 << 24 }, "1 to 16777216")
        if stop.contains("") { throw ValidationError("--stop: expected a text, got an empty one") }
    }

    private func check<Value>(
        _ name: String, _ value: Value?, isFine: (Value) -> Bool, _ expected: String
    ) throws {
        guard let value, !isFine(value) else { return }
        throw ValidationError("\(name): expected \(expected), got \(value)")
    }

    func sampling(for model: OpenedModel) -> SamplingParameters {
        var sampling = model.sampling
        sampling.temperature = temperature ?? sampling.temperature
        sampling.topK = topK ?? sampling.topK
        sampling.topP = topP ?? sampling.topP
        sampling.minP = minP ?? sampling.minP
        sampling.repetitionPenalty = repetitionPenalty ?? sampling.repetitionPenalty
        sampling.seed = seed ?? UInt64.random(in: 0...UInt64.max)
        return sampling
    }

    func contextLength(for model: OpenedModel) throws -> Int {
        guard let context else { return min(model.spec.contextLength, Self.contextDefaultMax) }
        guard context <= model.spec.contextLength else {
            throw ProgramError(
                .configuration,
                "--context: expected at most \(model.spec.contextLength), which \(model.file.name) was made for, got "
                    + "\(context)")
        }
        return context
    }
}
