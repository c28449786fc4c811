import Sharding
import Tokenizers

/// One generated answer: tokens from an engine, text as it becomes whole.
struct Answer {
    var tokens: [TokenID] = []
    /// Without the ending token and without a stop string.
    var text = ""
    var finish: FinishReason = .cancelled
    var timings = GenerationTimings(promptTokens: 0, generatedTokens: 0, prompt: .zero, generation: .zero)
    /// Of a model that is read from disk.
    var streaming: StreamingTimings?

    /// Generates until the end of `request`, a stop string, or the cancelling of the task.
    ///
    /// - Parameters:
    ///   - onToken: called for each token.
    ///   - show: called with text that will not change any more.
    static func generate(
        _ request: TokenRequest, with engine: any TokenEngine, detokenizer: Detokenizer?, stops: [String],
        onToken: () -> Void = {}, show: (String) -> Void
    ) async throws -> Answer {
        var answer = Answer()
        answer.timings.promptTokens = request.prompt.count
        var text = AnswerText(detokenizer, stops: stops)
        let start = ContinuousClock.now
        var first: ContinuousClock.Instant?

        func take(_ piece: String) {
            guard !piece.isEmpty else { return }
            answer.text += piece
            show(piece)
        }

        for try await event in try await engine.generate(request) {
            switch event {
            case .begun(let cachedTokens):
                answer.timings.cachedTokens = cachedTokens
            case .token(let accepted):
                let now = ContinuousClock.now
                first = first ?? now
                answer.tokens.append(accepted.token)
                onToken()
                answer.timings.generatedTokens = answer.tokens.count
                answer.timings.prompt = first.map { $0 - start } ?? .zero
                answer.timings.generation = first.map { now - $0 } ?? .zero
                guard !request.endTokens.contains(accepted.token) else { continue }
                let found = text.append(accepted.token)
                take(found.text)
                if found.isStopped {
                    answer.finish = .stop
                    return answer
                }
            case .finished(let reason, let timings):
                answer.finish = reason
                answer.timings = timings
            }
        }
        take(text.finish())
        return answer
    }

    /// Prompt and generation speed for a person.
    var speedLine: String {
        let generated = max(0, timings.generatedTokens - 1)
        let cached = timings.cachedTokens > 0 ? ", \(timings.cachedTokens) of them known before" : ""
        let computed = timings.promptTokens - timings.cachedTokens
        return "prompt: \(timings.promptTokens) tokens\(cached), \(Self.rate(computed, timings.prompt)); "
            + "generation: \(timings.generatedTokens) tokens, \(Self.rate(generated, timings.generation))"
    }

    /// The first token is the prompt's; the others took the time between the first and the last.
    private static func rate(_ count: Int, _ time: Duration) -> String {
        guard count > 0, time > .zero else { return "too few to time" }
        let perSecond = Double(count) / (time / .seconds(1))
        return "\(Double(Int(perSecond * 10)) / 10) tokens/s"
    }
}
