import Sharding
import Tokenizers

/// What runners do alike, over an engine and something that computes logits.
struct RunnerCore: Sendable {
    let model: OpenedModel
    let engine: any TokenEngine
    /// nil where the model has none that is understood; text is refused then, tokens are not.
    let tokenizer: Tokenizer?
    let contextLength: Int
    /// Of tokens that were checked.
    let computeLogits: @Sendable ([TokenID]) async throws(ShardKitError) -> [Float]

    /// Tokens of a benchmark's sequence.
    static let benchmarkTokenCount = 32
    static let benchmarkRunsMax = 10_000

    func requireTokenizer() throws(ShardKitError) -> Tokenizer {
        if let tokenizer { return tokenizer }
        // Again, for the error.
        return try model.tokenizer()
    }

    func logits(_ tokens: [TokenID]) async throws(ShardKitError) -> Logits {
        try check(tokens)
        return Logits(values: try await computeLogits(tokens), vocabularySize: model.spec.vocabularySize)
    }

    func embedding(_ tokens: [TokenID]) async throws(ShardKitError) -> [Float] {
        try check(tokens)
        do { return try await engine.embedding(of: EmbeddingRequest(tokens: tokens)).values } catch {
            throw ShardKitError(error)
        }
    }

    private func check(_ tokens: [TokenID]) throws(ShardKitError) {
        let vocabularySize = model.spec.vocabularySize
        guard (1...contextLength).contains(tokens.count) else {
            throw ShardKitError(
                .doesNotFit, "tokens: expected 1 to \(contextLength), the context here, got \(tokens.count)")
        }
        if let wrong = tokens.first(where: { !(0..<vocabularySize).contains(Int($0)) }) {
            throw ShardKitError(.request, "tokens: expected ids from 0 to \(vocabularySize - 1), got \(wrong)")
        }
    }

    func benchmark(runs: Int) async throws(ShardKitError) -> BenchmarkResult {
        guard (1...Self.benchmarkRunsMax).contains(runs) else {
            throw ShardKitError(.request, "runs: expected 1 to \(Self.benchmarkRunsMax), got \(runs)")
        }
        let count = min(Self.benchmarkTokenCount, contextLength)
        let tokens = (0..<count).map { TokenID($0 % model.spec.vocabularySize) }
        // Once before it counts, so that no run pays for pages that were never touched.
        _ = try await logits(tokens)
        var times: [Duration] = []
        for _ in 0..<runs {
            let start = ContinuousClock.now
            _ = try await logits(tokens)
            times.append(ContinuousClock.now - start)
        }
        return BenchmarkResult(times: times, tokenCount: count)
    }
}
