import Coordinator
import Sharding

/// Lets a cluster compute what one process has computed, and compares bit for bit.
package struct ClusterVerification: Sendable {
    let work: VerificationWork
    let reference: VerificationReference
    let engine: ClusterEngine

    package init(work: VerificationWork, reference: VerificationReference, engine: ClusterEngine) {
        self.work = work
        self.reference = reference
        self.engine = engine
    }

    /// All that can be compared, in the order in which it is: what goes on from an answer stands behind it.
    package var subjects: [VerificationCheck.Subject] {
        var subjects = work.sequences.enumerated().flatMap { index, sequence in
            sequence.chunks.map { VerificationCheck.Subject.logits(sequence: index, chunk: $0) }
        }
        if !work.requests.isEmpty { subjects.append(.answers(.alone)) }
        if reference.followUp != nil { subjects.append(.answers(.followUp)) }
        if !work.requests.isEmpty { subjects.append(.answers(.together)) }
        if !work.sequences.isEmpty { subjects.append(.embedding(sequence: work.sequences.count - 1)) }
        return subjects
    }

    /// Lets the cluster compute one of ``subjects``, and compares.
    package func check(_ subject: VerificationCheck.Subject) async throws -> VerificationCheck {
        switch subject {
        case .logits(let sequence, let chunk): try await logits(sequence, chunk: chunk)
        case .answers(.alone): try await answersAlone()
        case .answers(.together): try await answersTogether()
        case .answers(.followUp): try await followUp()
        case .embedding(let sequence): try await embedding(sequence)
        }
    }

    /// One sequence, in steps of so many rows.
    private func logits(_ index: Int, chunk: Int) async throws -> VerificationCheck {
        let sequence = work.sequences[index]
        let hashes = reference.rowHashes[index]
        let vocabularySize = engine.model.vocabularySize
        var position = 0
        var differing = 0
        var first: (position: Int, row: [Float])?
        try await engine.logits(of: sequence.tokens, chunk: chunk) { rows in
            for (offset, hash) in rows.rowHashes(vocabularySize: vocabularySize).enumerated() {
                if position >= hashes.count || hash != hashes[position] {
                    differing += 1
                    if first == nil {
                        first = (position, Array(rows.dropFirst(offset * vocabularySize).prefix(vocabularySize)))
                    }
                }
                position += 1
            }
        }
        var check = VerificationCheck(
            subject: .logits(sequence: index, chunk: chunk),
            name: "logits of \(positions(sequence.tokens.count)), \(chunk == 1 ? "1 row" : "\(chunk) rows") a step",
            valueCount: position * vocabularySize)
        if position != hashes.count {
            check.difference = VerificationDifference(
                sequence: index, position: min(position, hashes.count),
                detail: "expected \(positions(hashes.count)), got \(position)")
        } else if let first {
            check.difference = VerificationDifference(
                sequence: index, position: first.position, positionCount: differing, row: first.row)
        }
        return check
    }

    private func positions(_ count: Int) -> String { count == 1 ? "1 position" : "\(count) positions" }

    private func answersAlone() async throws -> VerificationCheck {
        var answers: [[AcceptedToken]] = []
        for request in work.requests { answers.append(try await engine.answer(to: request)) }
        return compare(work.requests, reference.answers, answers, .alone, "one after the other")
    }

    private func answersTogether() async throws -> VerificationCheck {
        let answers = try await withThrowingTaskGroup(of: (Int, [AcceptedToken]).self) { group in
            for (index, request) in work.requests.enumerated() {
                group.addTask { [engine] in (index, try await engine.answer(to: request)) }
            }
            var answers = work.requests.map { _ in [AcceptedToken]() }
            for try await (index, answer) in group { answers[index] = answer }
            return answers
        }
        return compare(work.requests, reference.answers, answers, .together, "all at once")
    }

    private func followUp() async throws -> VerificationCheck {
        guard let (request, expected) = reference.followUp else { preconditionFailure("it is one of the subjects") }
        return compare(
            [request], [expected], [try await engine.answer(to: request)], .followUp, "going on from an earlier one")
    }

    private func compare(
        _ requests: [TokenRequest], _ expected: [[AcceptedToken]], _ got: [[AcceptedToken]],
        _ company: VerificationCheck.Company, _ way: String
    ) -> VerificationCheck {
        let tokens = got.reduce(0) { $0 + $1.count }
        var check = VerificationCheck(
            subject: .answers(company),
            name: "\(requests.count == 1 ? "an answer" : "\(requests.count) answers") of \(tokens) tokens, \(way)",
            valueCount: got.joined().reduce(0) { $0 + 2 + 2 * $1.top.count })
        for (index, request) in requests.enumerated() where check.difference == nil {
            guard let place = firstDifference(expected[index], got[index]) else { continue }
            check.difference = VerificationDifference(
                sequence: index, position: request.prompt.count + place,
                detail: "expected \(describe(expected[index], place)), got \(describe(got[index], place))")
        }
        return check
    }

    /// Index of the first token that is another one, or does not have the same probabilities to the bit.
    private func firstDifference(_ expected: [AcceptedToken], _ got: [AcceptedToken]) -> Int? {
        for index in 0..<max(expected.count, got.count) {
            guard index < expected.count, index < got.count, expected[index].hasSameBits(as: got[index]) else {
                return index
            }
        }
        return nil
    }

    private func describe(_ answer: [AcceptedToken], _ index: Int) -> String {
        guard index < answer.count else { return "the answer's end" }
        return "token \(answer[index].token) at log probability \(answer[index].logprob)"
    }

    private func embedding(_ index: Int) async throws -> VerificationCheck {
        let longest = work.sequences[index]
        let got = try await engine.embedding(of: EmbeddingRequest(tokens: longest.tokens)).values
        var check = VerificationCheck(
            subject: .embedding(sequence: index), name: "embedding of \(positions(longest.tokens.count))",
            valueCount: got.count)
        if let values = ValueDifference(expected: reference.embedding, got: got) {
            check.difference = VerificationDifference(
                sequence: index, position: longest.tokens.count - 1, values: values)
        }
        return check
    }
}

extension AcceptedToken {
    fileprivate func hasSameBits(as other: AcceptedToken) -> Bool {
        token == other.token && logprob.bitPattern == other.logprob.bitPattern
            && top.map(\.token) == other.top.map(\.token)
            && top.map(\.logprob.bitPattern) == other.top.map(\.logprob.bitPattern)
    }
}
