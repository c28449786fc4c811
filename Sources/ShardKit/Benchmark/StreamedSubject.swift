import Devices
import Inference
import Measuring
import ModelFiles
import Sharding
import Streaming

/// A model in this process, of which as much stays in memory as a budget allows.
package struct StreamedSubject: BenchmarkSubject {
    private let model: OpenedModel
    private let cpu: CPUDeviceOptions
    private let cacheType: CacheElementType
    private let setup: StreamingSetup

    /// - Parameter budgetBytes: nil takes what is free, less a reserve.
    package init(
        _ model: OpenedModel, cpu: CPUDeviceOptions, cacheType: CacheElementType, budgetBytes: Int?,
        tests: [BenchmarkTest]
    ) throws(ShardKitError) {
        self.model = model
        self.cpu = cpu
        self.cacheType = cacheType
        setup = try model.streamingSetup(
            budgetBytes: budgetBytes, cacheType: cacheType,
            contextLength: ChainMeter.cachePositions(of: tests, rowsMax: StreamingSetup.Demand.rowsMaxDefault),
            threads: cpu.threads)
    }

    package func visit(
        _ runs: [ScheduledRun], of tests: [BenchmarkTest],
        report: @escaping @Sendable (ScheduledRun, RunOutcome) -> Void
    ) async throws {
        try await OwnThread.run { cancellation in
            PeakMemory.reset()
            let chain = try model.chain(cpu: cpu, setup)
            let meter = ChainMeter(chain, tests: tests)
            try meter.prime()
            let loadPeak = PeakMemory.bytes()
            let disk = DiskMeter(setup.tensors.files)
            for run in runs {
                if cancellation.isCancelled { throw CancellationError() }
                let rate = try disk?.measure()
                PeakMemory.reset()
                try meter.fill(run.test)
                let before = chain.streamingReport(setup.budget)
                let seconds = try meter.measure(run.test)
                let peak = PeakMemory.bytes().map { max($0, loadPeak ?? 0) }
                var outcome = RunOutcome(seconds: seconds, peakBytes: peak)
                if let before, let after = chain.streamingReport(setup.budget), let rate {
                    let done = after.statistics(since: before)
                    outcome.disk = DiskUse(
                        readBytes: done.readBytes, waitedSeconds: done.waited / .seconds(1), bytesPerSecondMax: rate)
                }
                report(run, outcome)
            }
        }
    }
}
