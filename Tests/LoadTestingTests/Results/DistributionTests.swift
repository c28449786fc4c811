import Testing

@testable import LoadTesting

@Suite("Distributions")
struct DistributionTests {
    @Test("percentiles are those of the sorted values, to three digits")
    func percentiles() throws {
        var random = SplitMix64(3)
        let values = (0..<20_000).map { _ in -0.01 * Double(1 + random.next(below: 5)) * (random.nextUnit() - 1.000001)
        }
        var times = Distribution.ofTimes
        for value in values { times.add(value) }
        let summary = try #require(times.summary)
        let sorted = values.sorted()
        func near(_ value: Double, _ expected: Double) -> Bool { abs(value - expected) <= 0.001 * expected + 1e-6 }
        #expect(
            near(summary.p50, sorted[9999]) && near(summary.p90, sorted[17_999]) && near(summary.p99, sorted[19_799]))
        #expect(near(summary.max, sorted[19_999]) && summary.min == sorted[0] && summary.count == 20_000)
        #expect(near(summary.mean, values.reduce(0, +) / 20_000))
        #expect(summary.curve.last?.percentile == 99.95)
    }

    @Test("speeds keep three digits, small and large")
    func speeds() throws {
        for value in [0.75, 12.34, 98_700] {
            var speeds = Distribution.ofSpeeds
            speeds.add(value)
            #expect(abs(try #require(speeds.summary).p50 - value) <= 0.001 * value)
        }
    }

    @Test("nothing has no summary; what is beyond the limits is kept at them")
    func limits() throws {
        #expect(Distribution.ofTimes.summary == nil)
        var times = Distribution.ofTimes
        times.add(-1)
        times.add(1e12)
        let summary = try #require(times.summary)
        #expect(summary.count == 2 && summary.min == 0 && summary.max > 1e6)
    }
}
