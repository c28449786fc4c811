import Sharding

/// Times tests through an engine, as its clients see it: from a request to its tokens.
package struct EngineMeter: Sendable {
    private let engine: any TokenEngine

    /// Rows that a prompt's step has at least, for estimating what others generate meanwhile.
    private static let promptRowsMin = 64

    package init(_ engine: any TokenEngine) { self.engine = engine }

    /// Positions that a sequence needs in the engine's context.
    package static func positions(for test: BenchmarkTest) -> Int {
        switch test.kind {
        case .prompt: test.positionCount + 1
        case .generate: max(1, test.depth) + tokensMax(test)
        }
    }

    /// Tokens to ask for: while the prompts of other sequences are read, the first ones generate already.
    private static func tokensMax(_ test: BenchmarkTest) -> Int {
        test.tokenCount + 1 + (test.sequenceCount - 1) * ((max(1, test.depth) + promptRowsMin - 1) / promptRowsMin)
    }

    /// A prompt and some tokens, so that no run pays for memory that was never touched.
    package func prime(rowsMax: Int) async throws {
        let room = engine.model.contextLength
        _ = try await arrivals(sequence: 0, promptCount: max(1, min(rowsMax, room - 2)), tokensMax: 2)
    }

    /// Seconds that the tokens of a test take, once.
    package func measure(_ test: BenchmarkTest) async throws -> Double {
        switch test.kind {
        case .prompt:
            let whole = try await firstToken(promptCount: test.positionCount)
            // What stands before cannot be kept: it is read alone, too, and taken off.
            return test.depth == 0 ? whole : try await max(whole - firstToken(promptCount: test.depth), .ulpOfOne)
        case .generate:
            let times = try await withThrowingTaskGroup(of: [Double].self) { group in
                let start = ContinuousClock.now
                for sequence in 0..<test.sequenceCount {
                    group.addTask {
                        try await arrivals(
                            sequence: sequence, promptCount: max(1, test.depth), tokensMax: Self.tokensMax(test),
                            from: start)
                    }
                }
                return try await group.reduce(into: [[Double]]()) { $0.append($1) }
            }
            guard let window = DecodeWindow(arrivals: times) else {
                throw EngineError(
                    .failed, "\(test.name): expected tokens of all sequences, got none of one")
            }
            return window.seconds * Double(test.tokenCountTotal) / Double(window.tokenCount)
        }
    }

    private func firstToken(promptCount: Int) async throws -> Double {
        guard let first = try await arrivals(sequence: 0, promptCount: promptCount, tokensMax: 1).first else {
            throw EngineError(.failed, "a prompt of \(promptCount) tokens gave none")
        }
        return first
    }

    /// When each token comes, in seconds from `start`.
    private func arrivals(
        sequence: Int, promptCount: Int, tokensMax: Int, from start: ContinuousClock.Instant = .now
    ) async throws -> [Double] {
        let request = TokenRequest(
            prompt: BenchmarkTokens.tokens(
                0..<promptCount, sequence: sequence, vocabularySize: engine.model.vocabularySize),
            maxTokens: tokensMax)
        var times: [Double] = []
        for try await event in try await engine.generate(request) {
            if case .token = event { times.append((ContinuousClock.now - start) / .seconds(1)) }
        }
        return times
    }
}
