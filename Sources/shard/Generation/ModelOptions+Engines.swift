import Coordinator
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

    /// The model in this process, of which as much stays in memory as the budget allows.
    ///
    /// The tokenizer is made before: what the process holds then is part of the budget.
    func streamingEngine(
        _ model: OpenedModel, _ setup: StreamingSetup, showsProgress: Bool
    ) async throws -> LocalEngine {
        let cpu = try cpuOptions()
        return try await LocalEngine(LocalEngine.Options(name: model.file.name, sequencesMax: 1)) {
            () throws(InferenceError) in
            let bar = ProgressBar("loading", isShown: showsProgress)
            defer { bar.finish() }
            let bytes = setup.parts[0].plan.pinnedBytes
            return try model.chain(cpu: cpu, setup) { part in
                bar.update(done: Int(part * Double(bytes)), total: bytes)
            }
        }
    }

    /// How the budget is spent; loads nothing.
    func streamingSetup(
        _ model: OpenedModel, cacheType: CacheElementType, contextLength: Int, showsProgress: Bool
    ) async throws -> StreamingSetup {
        let (budget, threads) = (memoryBudget?.bytes, try cpuOptions().threads)
        let cache = packedCache.map {
            PackedCachePrompt.cache($0, model: model.file.name, showsProgress: showsProgress)
        }
        do {
            return try await OwnThread.run { _ throws(ShardKitError) in
                try model.streamingSetup(
                    budgetBytes: budget, cacheType: cacheType, contextLength: contextLength, threads: threads,
                    packedCache: cache)
            }
        } catch {
            throw ProgramError(error.code == .doesNotFit ? .configuration : .failedWhileRunning, error.description)
        }
    }

    /// The model over worker processes, which end with the session.
    func startWorkers(
        _ model: OpenedModel, cacheType: CacheElementType, contextLength: Int, _ program: ProgramOptions
    ) async throws -> WorkerSession {
        let print: @Sendable (String, String) -> Void = { name, line in StandardError.write("\(name): \(line)") }
        let logger = Logger(label: "shard")
        if let cluster {
            let options = try clusterOptions(
                cluster, model, cacheType: cacheType, contextLength: contextLength, program)
            return try await WorkerSession.start(model, cluster: options, logger: logger, print: print)
        }
        let layout = WorkerLayout.even(layerCount: model.spec.layers.count, workerCount: workers)
        if let warning = layout.warning { StandardError.write("warning: --workers \(workers): \(warning)") }
        var options = WorkerSession.Options(
            layout: layout, devices: layout.selections.map { _ in device }, threads: threads, cacheType: cacheType,
            contextLength: contextLength)
        options.workerLogLevel = program.workerLogLevel.rawValue
        return try await WorkerSession.start(model, options, logger: logger, print: print)
    }

    /// What the file says of workers, addresses, keys and placement; the model and its cache are this command's.
    private func clusterOptions(
        _ path: String, _ model: OpenedModel, cacheType: CacheElementType, contextLength: Int,
        _ program: ProgramOptions
    ) throws -> ClusterOptions {
        do {
            let configuration = try ClusterConfiguration.load(path: path)
            var options = ClusterOptions(configuration)
            options.name = model.file.name
            options.cacheType = cacheType
            options.contextLength = contextLength
            options.maxSequences = 1
            options.security = try ClusterSecurity(configuration)
            options.workerLogLevel = program.workerLogLevel.rawValue
            return options
        } catch let error as ConfigurationError {
            throw ProgramError(.configuration, error.lines)
        } catch {
            throw ProgramError(.configuration, "\(error)")
        }
    }
}
