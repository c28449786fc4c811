import Sharding
import Testing

@Suite("Time histogram")
struct TimeHistogramTests {
    @Test("bounds ascend, six a decade")
    func bounds() {
        let bounds = TimeHistogram.boundsSeconds
        #expect(bounds.first == 0.0001 && bounds.last == 100)
        #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 && $1 / $0 < 1.7 })
    }

    @Test(
        "every time falls into the class that ends at or above it", arguments: [0, 0.0001, 0.00011, 0.05, 1, 99.9, 1e6])
    func classes(seconds: Double) {
        var histogram = TimeHistogram()
        histogram.note(.seconds(seconds))
        let index = histogram.counts.firstIndex(of: 1) ?? -1
        if index < TimeHistogram.boundsSeconds.count { #expect(TimeHistogram.boundsSeconds[index] >= seconds) }
        if index > 0 { #expect(TimeHistogram.boundsSeconds[index - 1] < seconds) }
        #expect(histogram.count == 1)
    }

    @Test("quantiles are right to a class")
    func quantiles() throws {
        var histogram = TimeHistogram()
        #expect(histogram.quantile(0.5) == nil && histogram.meanSeconds == nil)
        for index in 1...100 { histogram.note(.milliseconds(index)) }
        #expect(try abs(#require(histogram.quantile(0.5)) - 0.05) < 0.001)
        #expect(try (0.07...0.1).contains(#require(histogram.quantile(0.95))))
        #expect(try abs(#require(histogram.meanSeconds) - 0.0505) < 1e-9)
    }

    @Test("a difference has what happened in between, and all of it after a restart")
    func since() {
        var early = TimeHistogram()
        early.note(.milliseconds(5))
        var late = early
        late.note(.seconds(1))
        #expect(late.since(early).count == 1 && abs(late.since(early).sumSeconds - 1) < 1e-9)
        #expect(early.since(late) == early)
    }
}
