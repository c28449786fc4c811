import CKernels
import Testing

@testable import Inference

@Suite("Routing to experts")
struct ExpertRoutingTests {
    private func route(
        _ logits: [Float], experts: Int, used: Int, isNormalized: Bool = true
    ) -> ExpertRouting {
        var routing = ExpertRouting(expertCount: experts, usedCount: used)
        logits.withUnsafeBufferPointer {
            routing.route($0, rowCount: logits.count / experts, isNormalized: isNormalized)
        }
        return routing
    }

    @Test("the largest logits win, the lower index where they are equal, NaN last")
    func choice() {
        let rows: [[Float]] = [
            [1, 5, 3, 5], [2, 2, 2, 2], [-.infinity, .nan, -.infinity, 0], [.nan, .nan, .nan, .nan], [9, 1, 2, 8],
        ]
        let routing = route(rows.flatMap { $0 }, experts: 4, used: 2)
        let expected = [[1, 3], [0, 1], [0, 3], [0, 1], [0, 3]]
        for (row, experts) in expected.enumerated() {
            let own = routing.groups.filter { group in group.places.contains { routing.rows[$0] == row } }
            #expect(own.map(\.expert) == experts, "row \(row)")
        }
    }

    @Test("places lie by expert, then by row, and every row finds its own", arguments: 0..<20)
    func places(seed: UInt64) {
        var random = TestRandom(seed: seed)
        let (experts, used, rowCount) = (1 + Int(seed) * 3, 1 + Int(seed), 1 + Int(seed) * 5 % 17)
        let logits = (0..<rowCount * experts).map { _ in Float(Int.random(in: 0..<4, using: &random)) }
        let routing = route(logits, experts: experts, used: used)
        #expect(routing.groups.map(\.expert) == routing.groups.map(\.expert).sorted())
        #expect(routing.groups.first?.places.lowerBound == 0)
        let pairs = zip(routing.groups, routing.groups.dropFirst())
        #expect(pairs.allSatisfy { $0.places.upperBound == $1.places.lowerBound })
        #expect(routing.groups.last?.places.upperBound == rowCount * used && routing.rows.count == rowCount * used)
        for group in routing.groups {
            let rows = routing.rows[group.places]
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 })
        }
        for row in 0..<rowCount {
            let places = routing.shares.rows[row * used..<(row + 1) * used].map(Int.init)
            #expect(places.allSatisfy { routing.rows[$0] == row })
            #expect(places == places.sorted() && Set(places).count == used)
        }
    }

    @Test("shares are the softmax of the chosen, or of all")
    func shares() {
        let logits: [Float] = [0.5, -1, 2, 1.5, 0]
        let chosen = route(logits, experts: 5, used: 2).shares.factors
        let (a, b) = (shard_exp(0), shard_exp(-0.5))
        #expect(chosen == [a / (a + b), b / (a + b)])
        let all = route(logits, experts: 5, used: 2, isNormalized: false).shares.factors
        let sum = logits.reduce(Float(0)) { $0 + shard_exp($1 - 2) }
        #expect(all == [a / sum, b / sum])
    }
}
