import Logging
import Measuring
import Sharding

/// A model over worker processes on this machine, which share its layers and the threads.
package struct DistributedSubject: BenchmarkSubject {
    /// As many as show what passing hidden states on costs, and gains.
    package static let workerCount = 2

    private let model: OpenedModel
    private let options: WorkerSession.Options
    private let rowsMax: Int

    /// - Parameters:
    ///   - threads: of all workers together; a multiple of their count.
    ///   - cpus: cores to divide among them; empty: any.
    package init(
        _ model: OpenedModel, threads: Int, cpus: [Int], cacheType: CacheElementType, rowsMax: Int,
        tests: [BenchmarkTest], workerProgram: String? = nil
    ) throws(ShardKitError) {
        let count = Self.workerCount
        guard threads >= count, threads % count == 0 else {
            throw ShardKitError(
                .request, "threads: expected as many for each of \(count) workers, got \(threads) for all of them")
        }
        guard cpus.isEmpty || cpus.count >= threads else {
            throw ShardKitError(.request, "cpus: expected at least \(threads), one for each thread, got \(cpus.count)")
        }
        let layout = WorkerLayout.even(layerCount: model.spec.layers.count, workerCount: count)
        var options = WorkerSession.Options(
            layout: layout, devices: layout.selections.map { _ in "cpu" }, threads: threads / count,
            cacheType: cacheType,
            contextLength: min(model.spec.contextLength, tests.map(EngineMeter.positions).max() ?? 1),
            sequencesMax: tests.map(\.sequenceCount).max() ?? 1)
        options.rowsMax = rowsMax
        // Every repetition computes all of its prompt.
        options.sharesPrefixes = false
        options.cpus = cpus
        options.workerProgram = workerProgram
        self.model = model
        self.options = options
        self.rowsMax = rowsMax
    }

    package func visit(
        _ runs: [ScheduledRun], of tests: [BenchmarkTest],
        report: @escaping @Sendable (ScheduledRun, RunOutcome) -> Void
    ) async throws {
        PeakMemory.reset()
        var logger = Logger(label: "shard")
        // Sessions come and go for every repetition; what fails is thrown.
        logger.logLevel = .error
        let session = try await WorkerSession.start(model, options, logger: logger)
        do {
            let meter = EngineMeter(session.engine)
            try await meter.prime(rowsMax: rowsMax)
            let processes = [nil] + session.processIDs.compactMap { $0 }
            let loadPeaks = processes.map { PeakMemory.bytes(process: $0) }
            for run in runs {
                for process in processes { PeakMemory.reset(process: process) }
                let seconds = try await meter.measure(tests[run.test])
                let peaks = zip(processes, loadPeaks).compactMap { process, loadPeak in
                    PeakMemory.bytes(process: process).map { max($0, loadPeak ?? 0) }
                }
                report(
                    run,
                    RunOutcome(
                        seconds: seconds, peakBytes: peaks.count == processes.count ? peaks.reduce(0, +) : nil))
            }
        } catch {
            await session.stop()
            throw error
        }
        await session.stop()
    }
}
