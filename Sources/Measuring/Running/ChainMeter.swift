import Devices
import Inference
import Sharding

/// Times tests on a loaded model. Belongs to the chain's thread.
package final class ChainMeter {
    private let chain: ShardChain
    private let tests: [BenchmarkTest]
    private var stepID: UInt64 = 0
    /// Tests whose sequences stand at their depth.
    private var filled: Set<Int> = []

    /// Positions that the cache needs: of the sequences of all tests, in whole blocks, and of the priming.
    package static func cachePositions(of tests: [BenchmarkTest], rowsMax: Int) -> Int {
        let blocks = tests.reduce(KVCache.blocksNeeded(positions: rowsMax + 1)) { sum, test in
            saturatingSum(
                sum, saturatingProduct(test.sequenceCount, KVCache.blocksNeeded(positions: test.positionCount)))
        }
        return saturatingProduct(blocks, CacheShape.blockPositions)
    }

    package init(_ chain: ShardChain, tests: [BenchmarkTest]) {
        self.chain = chain
        self.tests = tests
    }

    /// Computes a full step and a step of one row, so that no run pays for memory that was never touched.
    package func prime() throws(InferenceError) {
        let sequences = sequences(ofTest: tests.count, count: 1)
        let count = min(chain.options.rowsMax, chain.model.contextLength - 1)
        try begin(sequences)
        try read(0..<count, of: sequences)
        try generate(1, after: count, in: sequences)
        try step(sequences.map { .free($0.id) })
    }

    /// Brings a test's sequences to its depth, where they are not yet.
    package func fill(_ index: Int) throws(InferenceError) {
        guard filled.insert(index).inserted else { return }
        let sequences = sequences(ofTest: index, count: tests[index].sequenceCount)
        try begin(sequences)
        try read(0..<tests[index].depth, of: sequences)
    }

    /// Seconds that the tokens of a test take, once, at its depth.
    package func measure(_ index: Int) throws(InferenceError) -> Double {
        try fill(index)
        let test = tests[index]
        let sequences = sequences(ofTest: index, count: test.sequenceCount)
        let clock = ContinuousClock()
        let start = clock.now
        switch test.kind {
        case .prompt: try read(test.depth..<test.positionCount, of: sequences, wantsToken: true)
        case .generate: try generate(test.tokenCount, after: test.depth, in: sequences)
        }
        let seconds = (clock.now - start) / .seconds(1)
        // Back to the very state before; what took long to compute is not computed again.
        try step(sequences.map { .truncate($0.id, length: test.depth) })
        return seconds
    }

    private struct Sequence {
        let id: SequenceID
        /// Within its test; keys its tokens.
        let index: Int
    }

    private func sequences(ofTest test: Int, count: Int) -> [Sequence] {
        (0..<count).map { Sequence(id: SequenceID(UInt64(test) << 32 | UInt64($0)), index: $0) }
    }

    private func token(_ sequence: Sequence, at position: Int) -> TokenID {
        BenchmarkTokens.token(
            sequence: sequence.index, position: position, vocabularySize: chain.model.vocabularySize)
    }

    private func begin(_ sequences: [Sequence]) throws(InferenceError) {
        try step(sequences.map { .begin($0.id, SequenceStart(tokens: [])) })
    }

    /// Positions of each sequence in turn, as many in a step as it takes.
    private func read(
        _ positions: Range<Int>, of sequences: [Sequence], wantsToken: Bool = false
    ) throws(InferenceError) {
        for sequence in sequences {
            for first in stride(from: positions.lowerBound, to: positions.upperBound, by: chain.options.rowsMax) {
                let end = min(first + chain.options.rowsMax, positions.upperBound)
                try step(
                    rows: (first..<end).map { position in
                        StepRow(
                            sequence: sequence.id, position: position, token: token(sequence, at: position),
                            output: wantsToken && position + 1 == positions.upperBound ? .token : .none)
                    })
            }
        }
    }

    /// So many steps of one row for each sequence, which goes on with the token that was sampled before.
    private func generate(_ count: Int, after depth: Int, in sequences: [Sequence]) throws(InferenceError) {
        var tokens = sequences.map { token($0, at: depth) }
        for position in depth..<depth + count {
            let result = try step(
                rows: zip(sequences, tokens).map { sequence, token in
                    StepRow(sequence: sequence.id, position: position, token: token, output: .token)
                })
            for (index, outcome) in result.sequences.enumerated() {
                if case .tokens(let accepted) = outcome.outcome, let next = accepted.last { tokens[index] = next.token }
            }
        }
    }

    @discardableResult
    private func step(
        _ operations: [SequenceOperation] = [], rows: [StepRow] = []
    ) throws(InferenceError) -> StepResult {
        stepID += 1
        let result = try chain.run(Step(id: stepID, operations: operations, rows: rows))
        for case .failed(let message) in result.sequences.map(\.outcome) {
            throw InferenceError(.invalidStep, place: "benchmark", message)
        }
        return result
    }
}
