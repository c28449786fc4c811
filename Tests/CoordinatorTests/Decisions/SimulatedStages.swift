import Devices
import Sharding
import Testing

@testable import Coordinator
@testable import Inference

/// The stages of a pipeline as one: a real cache without layers, and a model whose next token depends on every token of
/// the state that a row stands on.
struct SimulatedStages {
    static let vocabularySize = 50
    private let cache: KVCache
    /// Tokens by position that the state was computed from.
    private(set) var states: [SequenceID: [TokenID]] = [:]
    private(set) var rowCount = 0

    init(blockCount: Int) throws {
        let device = try CPUDevice(CPUDeviceOptions(threads: 1, kernels: "scalar"))
        cache = try KVCache(shapes: [], blockCount: blockCount, device: device)
    }

    var freeBlockCount: Int { cache.freeBlockCount }

    static func next(after tokens: ArraySlice<TokenID>) -> TokenID {
        tokens.reduce(7) { ($0 &* 31 &+ $1) % 9973 } % TokenID(vocabularySize)
    }

    /// What a sequence that runs alone gives.
    static func answer(to prompt: [TokenID], count: Int) -> [TokenID] {
        var tokens = prompt
        for _ in 0..<count { tokens.append(next(after: tokens[...])) }
        return Array(tokens[prompt.count...])
    }

    /// Of tokens, in place of hidden states.
    static func mean(of tokens: [TokenID]) -> [Float] { [tokens.reduce(0) { $0 + Float($1) } / Float(tokens.count)] }

    private static func mean(of row: StepRow, _ state: [TokenID]) -> SequenceResult {
        SequenceResult(sequence: row.sequence, position: row.position + 1, outcome: .mean(mean(of: state)))
    }

    mutating func run(_ step: Step) throws -> StepResult {
        for operation in step.operations {
            switch operation {
            case .begin(let id, let start):
                if let prefix = start.prefix {
                    try cache.fork(prefix.sequence, to: id, length: prefix.length)
                    states[id] = Array(states[prefix.sequence]?.prefix(prefix.length) ?? [])
                } else {
                    try cache.begin(id)
                    states[id] = []
                }
            case .free(let id):
                cache.free(id)
                states[id] = nil
            case .truncate:
                Issue.record("an operation that the scheduler does not use")
            }
        }
        var results: [SequenceResult] = []
        for row in step.rows {
            try cache.prepareWrite(row.sequence, positions: row.position..<row.position + 1)
            var state = try #require(states[row.sequence])
            try #require(row.position <= state.count, "rows follow each other")
            state = state.prefix(row.position) + [row.token]
            states[row.sequence] = state
            rowCount += 1
            if row.output == .mean { results.append(Self.mean(of: row, state)) }
            guard row.output == .token else { continue }
            results.append(
                SequenceResult(
                    sequence: row.sequence, position: row.position + 1,
                    outcome: .tokens([AcceptedToken(token: Self.next(after: state[...]), logprob: 0)])))
        }
        return StepResult(step: step.id, sequences: results)
    }
}
