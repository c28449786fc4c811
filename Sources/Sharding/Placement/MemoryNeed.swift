/// Bytes that a set of units takes on a worker.
package struct MemoryNeed: Sendable, Hashable {
    package var weightBytes = 0
    package var cacheBytes = 0
    package var scratchBytes = 0
    /// Runs of consecutive units, each a stage of its own.
    package var runCount = 1

    package init(weightBytes: Int = 0, cacheBytes: Int = 0, scratchBytes: Int = 0) {
        self.weightBytes = weightBytes
        self.cacheBytes = cacheBytes
        self.scratchBytes = scratchBytes
    }

    package var totalBytes: Int {
        saturatingSum(saturatingSum(weightBytes, cacheBytes), scratchBytes)
    }

    /// `41.2 MiB (weights 30.0 MiB + cache 10.2 MiB + scratch 1.0 MiB)`.
    package var arithmetic: String {
        "\(describeBytes(totalBytes)) (weights \(describeBytes(weightBytes)) + cache \(describeBytes(cacheBytes))"
            + " + scratch \(describeBytes(scratchBytes)))"
    }
}

extension MemoryNeed {
    /// What `units` (layers, and the layer count for the head) need at `demand`. Sizes come from files: sums and
    /// products stop at the largest number instead of overflowing, which then fits nowhere.
    init(units: some Sequence<Int>, of model: PlacementModel, demand: PlacementDemand) {
        self.init()
        runCount = 0
        var previous: Int?
        for unit in units {
            // Each stage, a run of consecutive units, has working memory of its own.
            let isHead = unit == model.layers.count
            if previous.map({ $0 + 1 != unit }) ?? true { runCount += 1 }
            if isHead {
                addScratch(model.headScratchBytesPerRow, rows: demand.maxHeadRows)
            } else if previous.map({ $0 + 1 != unit }) ?? true {
                addScratch(model.scratchBytesPerRow, rows: demand.maxRows)
            }
            previous = unit
            weightBytes = saturatingSum(weightBytes, model.weightBytes(ofUnit: unit))
            guard !isHead else { continue }
            let layer = model.layers[unit]
            cacheBytes = saturatingSum(cacheBytes, saturatingProduct(layer.stateBytesPerToken, demand.cachePositions))
            cacheBytes = saturatingSum(cacheBytes, saturatingProduct(layer.stateBytesFixed, demand.maxSequences))
        }
    }

    private mutating func addScratch(_ bytesPerRow: Int, rows: Int) {
        scratchBytes = saturatingSum(scratchBytes, saturatingProduct(bytesPerRow, rows))
    }
}

/// The sum, or the largest number where it overflows: for counts and sizes, which are not below 0.
package func saturatingSum(_ left: Int, _ right: Int) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
}

/// The product, or the largest number where it overflows: for counts and sizes, which are not below 0.
package func saturatingProduct(_ left: Int, _ right: Int) -> Int {
    let (product, overflow) = left.multipliedReportingOverflow(by: right)
    return overflow ? .max : product
}

/// `512 B`, `1.5 KiB`, `20.0 GiB`.
package func describeBytes(_ bytes: Int) -> String {
    guard bytes >= 1024 else { return "\(bytes) B" }
    var value = Double(bytes)
    var unit = -1
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}
