import Devices
import Inference
import Logging
import ShardKit
import Sharding
import Terminal

extension ModelOptions {
    func cpuOptions() throws -> CPUDeviceOptions {
        let options = CPUDeviceOptions(threads: threads ?? CPUDeviceOptions.defaultThreads).withEnvironment()
        do { try options.check() } catch { throw ProgramError(.configuration, "\(error)") }
        return options
    }

    /// The model in this process, on a thread of its own.
    func localEngine(
        _ model: OpenedModel, cacheType: CacheElementType, contextLength: Int, showsProgress: Bool
    ) async throws -> LocalEngine {
        let cpu = try cpuOptions()
        try model.checkMemory(cacheType: cacheType, contextLength: contextLength)
        let bytes = model.file.byteCount
        return try await LocalEngine(LocalEngine.Options(name: model.file.name, sequencesMax: 1)) {
            () throws(InferenceError) in
            let bar = ProgressBar("loading", isShown: showsProgress)
            defer { bar.finish() }
            return try model.chain(cpu: cpu, cacheType: cacheType, contextLength: contextLength) { part in
                bar.update(done: Int(part * Double(bytes)), total: bytes)
            }
        }
    }

    /// The model over worker processes, which end with the session.
    func startWorkers(
        _ model: OpenedModel, cacheType: CacheElementType, contextLength: Int, _ program: ProgramOptions
    ) async throws -> WorkerSession {
        let layout = WorkerLayout.even(layerCount: model.spec.layers.count, workerCount: workers)
        if let warning = layout.warning { StandardError.write("warning: --workers \(workers): \(warning)") }
        var options = WorkerSession.Options(
            layout: layout, devices: layout.selections.map { _ in device }, threads: threads, cacheType: cacheType,
            contextLength: contextLength)
        options.workerLogLevel = program.workerLogLevel.rawValue
        return try await WorkerSession.start(model, options, logger: Logger(label: "shard")) { name, line in
            StandardError.write("\(name): \(line)")
        }
    }
}
