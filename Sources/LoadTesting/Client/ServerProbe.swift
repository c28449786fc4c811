/// Finds out what a server takes, by asking for one token.
package enum ServerProbe {
    /// The best shape that the server takes: token ids rather than text, answers of full length, counts of tokens.
    ///
    /// - Parameters:
    ///   - wanted: what is tried first; each thing in it may be given up, conversations excepted.
    ///   - ask: asks the server.
    /// - Returns: what the server takes; what of `wanted` it does not take, a line each.
    /// - Throws: what the server says of `wanted`, where it takes nothing.
    package static func shape(
        _ wanted: RequestShape, ask: (LoadRequest, RequestShape) async -> Result<LoadAnswer, LoadFailure>
    ) async throws(LoadFailure) -> (shape: RequestShape, notes: [String]) {
        var first: LoadFailure?
        for candidate in candidates(wanted) {
            let request = LoadRequest(
                prompt: 0, symbols: (0..<4).map { $0 % candidate.alphabet }, outputTokens: 1, seed: 0)
            switch await ask(request, candidate) {
            case .success: return (candidate, notes(wanted, candidate, first?.detail ?? ""))
            case .failure(let failure):
                // Only what the server understood and does not want can be mended by wording it otherwise.
                guard [.status(400), .status(422)].contains(failure.kind) else { throw failure }
                first = first ?? failure
            }
        }
        throw first ?? LoadFailure(.malformed, "a request has at least one shape")
    }

    /// `wanted` first, then those with one thing less, then with two, then with three.
    static func candidates(_ wanted: RequestShape) -> [RequestShape] {
        let prompts: [RequestShape.Prompts] = wanted.prompts == .tokens ? [.tokens, .text] : [wanted.prompts]
        var found: [(lost: Int, shape: RequestShape)] = []
        for (promptsLost, prompts) in prompts.enumerated() {
            for ignoresEnd in wanted.ignoresEnd ? [true, false] : [false] {
                for asksUsage in wanted.asksUsage ? [true, false] : [false] {
                    var shape = wanted
                    (shape.prompts, shape.ignoresEnd, shape.asksUsage) = (prompts, ignoresEnd, asksUsage)
                    let lost =
                        promptsLost + (ignoresEnd == wanted.ignoresEnd ? 0 : 1)
                        + (asksUsage == wanted.asksUsage ? 0 : 1)
                    found.append((lost, shape))
                }
            }
        }
        return (0...3).flatMap { lost in found.filter { $0.lost == lost }.map(\.shape) }
    }

    /// - Parameter reason: what the server said of `wanted`.
    private static func notes(_ wanted: RequestShape, _ found: RequestShape, _ reason: String) -> [String] {
        var notes: [String] = []
        if found.prompts != wanted.prompts {
            notes.append("prompts are text, because token ids are refused: \(reason)")
        }
        if found.ignoresEnd != wanted.ignoresEnd {
            notes.append("answers may be shorter than asked for, because ignore_eos is refused: \(reason)")
        }
        if found.asksUsage != wanted.asksUsage {
            notes.append("pieces are counted as tokens, because stream_options are refused: \(reason)")
        }
        return notes
    }
}
