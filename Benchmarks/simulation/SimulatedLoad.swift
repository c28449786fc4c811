import Foundation
import Sharding

/// Requests that come to a simulated cluster.
package struct SimulatedLoad: Sendable {
    package enum Arrivals: Sendable {
        /// So many at once; where one has its answer, another follows at once.
        case kept(Int)
        /// At random, so many a second on average, whatever becomes of the others.
        case poisson(perSecond: Double)
    }

    package var arrivals: Arrivals
    /// Tokens of a prompt and of an answer: equally likely lengths. No two prompts begin alike.
    package var promptTokens: ClosedRange<Int>
    package var answerTokens: ClosedRange<Int>
    package var seed: UInt64

    package init(
        _ arrivals: Arrivals, promptTokens: ClosedRange<Int>, answerTokens: ClosedRange<Int>, seed: UInt64 = 1
    ) {
        self.arrivals = arrivals
        self.promptTokens = promptTokens
        self.answerTokens = answerTokens
        self.seed = seed
    }
}

/// Makes a load's requests.
struct RequestSource {
    private let load: SimulatedLoad
    private let vocabularySize: Int
    private var random: SeededRandom

    init(_ load: SimulatedLoad, vocabularySize: Int) {
        self.load = load
        self.vocabularySize = vocabularySize
        random = SeededRandom(load.seed)
    }

    mutating func next() -> TokenRequest {
        let count = Int.random(in: load.promptTokens, using: &random)
        return TokenRequest(
            prompt: (0..<count).map { _ in TokenID(random.below(vocabularySize)) },
            maxTokens: Int.random(in: load.answerTokens, using: &random))
    }

    /// Nanoseconds from one arrival to the next, exponentially distributed; nil where none comes by itself.
    mutating func nextWait() -> Int? {
        guard case .poisson(let perSecond) = load.arrivals else { return nil }
        // Above 0, so that its logarithm is a number.
        let chance = (Double(random.next() >> 11) + 1) / Double(1 << 53)
        return Int(-log(chance) / perSecond * 1e9)
    }
}
