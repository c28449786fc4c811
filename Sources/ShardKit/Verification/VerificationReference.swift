import Inference
import Sharding

/// What one process computed of some work.
package struct VerificationReference: Sendable {
    /// By sequence, of each row of logits the hash of its bytes: all logits would take more memory than many models.
    package var rowHashes: [[FileHash]] = []
    /// By request.
    package var answers: [[AcceptedToken]] = []
    /// What goes on from the last request's answer, and the answer to that; absent where there is no room.
    package var followUp: (request: TokenRequest, answer: [AcceptedToken])?
    /// Of the longest sequence.
    package var embedding: [Float] = []

    /// Computes all of it, one thing after the other.
    ///
    /// - Parameters:
    ///   - rowsMax: rows of a step.
    ///   - progress: told the positions of sequences that are done, and how many there are.
    package init(
        of work: VerificationWork, by engine: LocalEngine, rowsMax: Int,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws {
        let total = work.sequences.reduce(0) { $0 + $1.tokens.count }
        var done = 0
        for sequence in work.sequences {
            let before = done
            rowHashes.append(
                try await engine.perform { chain throws(InferenceError) in
                    var hashes: [FileHash] = []
                    try chain.logits(of: sequence.tokens, chunk: rowsMax) { rows throws(InferenceError) in
                        hashes += rows.rowHashes(vocabularySize: chain.model.vocabularySize)
                        progress(before + hashes.count, total)
                    }
                    return hashes
                })
            done += sequence.tokens.count
        }
        for request in work.requests { answers.append(try await engine.answer(to: request)) }
        if let request = work.requests.last, let answer = answers.last {
            let next = work.followUp(request, answer.map(\.token))
            if let count = next.maxTokens, count > 0 { followUp = (next, try await engine.answer(to: next)) }
        }
        if let longest = work.sequences.last {
            embedding = try await engine.embedding(of: EmbeddingRequest(tokens: longest.tokens)).values
        }
    }
}

extension Sequence where Element == Float {
    /// The hash of the bytes of one row of logits.
    var bitHash: FileHash {
        var hasher = FileHasher()
        Array(self).withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }
}

extension Array where Element == Float {
    /// Of `[rows, vocabularySize]`.
    func rowHashes(vocabularySize: Int) -> [FileHash] {
        stride(from: 0, to: count, by: vocabularySize).map { self[$0..<Swift.min($0 + vocabularySize, count)].bitHash }
    }
}

extension TokenEngine {
    /// All tokens of an answer.
    func answer(to request: TokenRequest) async throws -> [AcceptedToken] {
        var tokens: [AcceptedToken] = []
        for try await event in try await generate(request) {
            if case .token(let token) = event { tokens.append(token) }
        }
        return tokens
    }
}
