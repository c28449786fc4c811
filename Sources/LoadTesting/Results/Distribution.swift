import Histogram

/// Many values of one kind, to three digits: times or speeds. Takes the same memory for ten of them as for ten million.
package struct Distribution: Sendable {
    /// What a histogram's unit is, in seconds or tokens a second.
    private let unit: Double
    private var histogram: Histogram<UInt64>
    private var sum = 0.0
    private var least = Double.infinity

    /// Above every value: eleven days in microseconds.
    private static let unitsMax: UInt64 = 1 << 40

    /// Values that must lie beyond a percentile above 99, for it to be drawn.
    private static let beyondLeast = 10

    private init(unit: Double) {
        self.unit = unit
        histogram = Histogram(highestTrackableValue: Self.unitsMax, numberOfSignificantValueDigits: .three)
    }

    /// Of times, to the microsecond.
    package static var ofTimes: Distribution { Distribution(unit: 1e-6) }
    /// Of speeds, to a thousandth.
    package static var ofSpeeds: Distribution { Distribution(unit: 1e-3) }

    package mutating func add(_ duration: Duration) { add(duration / .seconds(1)) }

    /// Below zero counts as zero.
    package mutating func add(_ value: Double) {
        let value = max(0, value)
        let units = min((value / unit).rounded(), Double(Self.unitsMax))
        histogram.record(UInt64(units))
        sum += value
        least = min(least, value)
    }

    /// Nil without a value.
    package var summary: LoadSummary? {
        guard histogram.totalCount > 0 else { return nil }
        func value(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) * unit }
        func beyond(_ percentile: Double) -> Int {
            Int((Double(histogram.totalCount) * (100 - percentile) / 100).rounded())
        }
        return LoadSummary(
            count: Int(histogram.totalCount), mean: sum / Double(histogram.totalCount), min: least, p50: value(50),
            p90: value(90), p99: value(99), max: value(100),
            curve: LoadSummary.percentiles.filter { $0 <= 99 || beyond($0) >= Self.beyondLeast }.map {
                LoadSummary.Point(percentile: $0, value: value($0))
            })
    }
}

/// What is told of many values, in seconds or tokens a second.
package struct LoadSummary: Sendable, Hashable, Codable {
    package struct Point: Sendable, Hashable, Codable {
        package var percentile: Double
        package var value: Double
    }

    package var count: Int
    package var mean: Double
    package var min: Double
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var max: Double
    /// For drawings; beyond 99 only where there are values enough.
    package var curve: [Point]

    static let percentiles: [Double] = [0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.9, 99.95, 99.99, 99.999]
}
