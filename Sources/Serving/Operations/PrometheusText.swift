import Sharding

/// Writes metrics in Prometheus' text format, version 0.0.4: of each family its help, its type, its samples.
struct PrometheusText {
    enum Kind: String { case counter, gauge }

    /// A number with its labels.
    struct Sample {
        var labels: [(name: String, value: String)]
        var value: Double

        init(_ labels: [(name: String, value: String)], _ value: Double) {
            self.labels = labels
            self.value = value
        }

        init(_ labels: [(name: String, value: String)], _ value: some BinaryInteger) {
            self.init(labels, Double(value))
        }
    }

    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Writes a family; one without samples is left out.
    ///
    /// - Parameters:
    ///   - name: without `shard_`; a counter's ends in `_total`.
    ///   - help: one sentence.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        head(name, kind.rawValue, help)
        for sample in samples { line(name, sample.labels, sample.value) }
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        add(name, kind, help, [Sample([], value)])
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        add(name, kind, help, [Sample([], value)])
    }

    /// Writes times as a histogram in seconds, for each set of labels.
    mutating func add(
        _ name: String, _ help: String, _ histograms: [(labels: [(name: String, value: String)], TimeHistogram)]
    ) {
        guard !histograms.isEmpty else { return }
        head(name, "histogram", help)
        for (labels, histogram) in histograms {
            var total: UInt64 = 0
            for (bound, count) in zip(TimeHistogram.boundsSeconds + [.infinity], histogram.counts) {
                total &+= count
                line("\(name)_bucket", labels + [("le", Self.number(bound))], Double(total))
            }
            line("\(name)_sum", labels, histogram.sumSeconds)
            line("\(name)_count", labels, Double(total))
        }
    }

    private mutating func head(_ name: String, _ kind: String, _ help: String) {
        text += "# HELP shard_\(name) \(help)\n# TYPE shard_\(name) \(kind)\n"
    }

    private mutating func line(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        let list = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        text += "shard_\(name)\(list.isEmpty ? "" : "{\(list)}") \(Self.number(value))\n"
    }

    /// Whole numbers without a point, as bounds and counts are read more easily so.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
