import Tensors

/// How fast a worker computes, measured: at what rate it goes through weights, by their type and the rows that they meet.
package struct ComputeSpeed: Sendable, Hashable {
    /// Rows that weights met when they were measured.
    package static let rowCounts = [1, 4, 16, 48]
    /// Types of weights that are measured; others are taken for the nearest of these by bits.
    package static let types: [ElementType] = [.q4_K, .q6_K, .q8_0, .f16]

    /// Bytes of weights a second, one entry for each of ``rowCounts``; at least one type.
    package private(set) var bytesPerSecond: [ElementType: [Double]]
    /// At which all cores of the machine together read memory, which its workers share; 0 when it was not measured.
    package var machineBytesPerSecond: Double

    /// nil where something is missing, or is no rate.
    package init?(bytesPerSecond: [ElementType: [Double]], machineBytesPerSecond: Double = 0) {
        guard !bytesPerSecond.isEmpty, machineBytesPerSecond.isFinite, machineBytesPerSecond >= 0,
            bytesPerSecond.values.allSatisfy({ rates in
                rates.count == Self.rowCounts.count && rates.allSatisfy { $0.isFinite && $0 > 0 }
            })
        else { return nil }
        self.bytesPerSecond = bytesPerSecond
        self.machineBytesPerSecond = machineBytesPerSecond
    }

    /// What several workers of one device found of it, each type by those who know it; nil of none. Its machine is as fast as
    /// the best of them found.
    package init?(meanOf speeds: [ComputeSpeed]) {
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
        var rates: [ElementType: [Double]] = [:]
        for type in Set(speeds.flatMap(\.bytesPerSecond.keys)) {
            let known = speeds.compactMap { $0.bytesPerSecond[type] }
            rates[type] = Self.rowCounts.indices.map { index in mean(known.map { $0[index] }) }
        }
        self.init(
            bytesPerSecond: rates, machineBytesPerSecond: speeds.map(\.machineBytesPerSecond).max() ?? 0)
    }

    /// The same with more threads, or fewer.
    package func scaled(by factor: Double) -> ComputeSpeed {
        var scaled = self
        scaled.bytesPerSecond = bytesPerSecond.mapValues { $0.map { $0 * factor } }
        return scaled
    }

    /// Time to multiply weights with some rows.
    package func seconds(_ bytes: [ElementType: Int], rows: Int) -> Double {
        bytes.reduce(0) { $0 + Double($1.value) * secondsPerByte($1.key, rows: Double(max(1, rows))) }
    }

    /// Between the counts of rows that were measured, along a line; beyond them, in proportion.
    private func secondsPerByte(_ type: ElementType, rows: Double) -> Double {
        let times = rates(of: type).map { 1 / $0 }
        let counts = Self.rowCounts.map(Double.init)
        guard let upper = counts.firstIndex(where: { $0 >= rows }) else {
            return times[times.count - 1] * rows / counts[counts.count - 1]
        }
        guard upper > 0 else { return times[0] }
        let share = (rows - counts[upper - 1]) / (counts[upper] - counts[upper - 1])
        return times[upper - 1] + share * (times[upper] - times[upper - 1])
    }

    private func rates(of type: ElementType) -> [Double] {
        if let known = bytesPerSecond[type] { return known }
        let nearest = bytesPerSecond.min { one, other in
            (abs(one.key.bits - type.bits), one.key.rawValue) < (abs(other.key.bits - type.bits), other.key.rawValue)
        }
        return nearest?.value ?? []
    }
}

extension ElementType {
    /// Of one element.
    fileprivate var bits: Double { Double(8 * blockBytes) / Double(blockElementCount) }
}
