import Devices
import Inference
import Measuring
import Sharding

/// A model in this process, all weights in memory.
package struct SimpleSubject: BenchmarkSubject {
    private let model: OpenedModel
    private let cpu: CPUDeviceOptions
    private let cacheType: CacheElementType
    private let rowsMax: Int

    package init(_ model: OpenedModel, cpu: CPUDeviceOptions, cacheType: CacheElementType, rowsMax: Int) {
        self.model = model
        self.cpu = cpu
        self.cacheType = cacheType
        self.rowsMax = rowsMax
    }

    package func visit(
        _ runs: [ScheduledRun], of tests: [BenchmarkTest],
        report: @escaping @Sendable (ScheduledRun, RunOutcome) -> Void
    ) async throws {
        let positions = ChainMeter.cachePositions(of: tests, rowsMax: rowsMax)
        // As loaded and computed as an engine does it: on one thread that is there for nothing else.
        try await OwnThread.run { cancellation in
            PeakMemory.reset()
            try model.checkMemory(cacheType: cacheType, contextLength: positions, rowsMax: rowsMax)
            let chain = try model.chain(
                cpu: cpu, cacheType: cacheType, contextLength: positions, rowsMax: rowsMax)
            let meter = ChainMeter(chain, tests: tests)
            try meter.prime()
            let loadPeak = PeakMemory.bytes()
            for run in runs {
                if cancellation.isCancelled { throw CancellationError() }
                PeakMemory.reset()
                let seconds = try meter.measure(run.test)
                let peak = PeakMemory.bytes().map { max($0, loadPeak ?? 0) }
                report(run, RunOutcome(seconds: seconds, peakBytes: peak))
            }
        }
    }
}
