import Testing

@testable import LoadTesting

@Suite("Arrivals of an open loop")
struct PoissonArrivalsTests {
    @Test("a seed says when requests are due, to the nanosecond")
    func seeds() {
        let first = Array(PoissonArrivals(rate: 5, seed: 3).prefix(100))
        #expect(first == Array(PoissonArrivals(rate: 5, seed: 3).prefix(100)))
        #expect(first != Array(PoissonArrivals(rate: 5, seed: 4).prefix(100)))
        #expect(zip(first, first.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test("they come at the rate asked for, at random: gaps longer than n means are e to the minus n of all")
    func rate() {
        let times = Array(PoissonArrivals(rate: 20, seed: 1).prefix(20_000)).map { $0 / .seconds(1) }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(abs(gaps.reduce(0, +) / Double(gaps.count) - 0.05) < 0.001)
        #expect(abs(Double(gaps.count { $0 > 0.05 }) / Double(gaps.count) - 0.3679) < 0.01)
        #expect(abs(Double(gaps.count { $0 > 0.15 }) / Double(gaps.count) - 0.0498) < 0.005)
    }
}
