import Coordinator
import Foundation
import Logging
import Sharding

/// A model over worker processes: those that are started for it on this machine and end with it, or those of a cluster.
package final class WorkerSession: Sendable {
    package struct Options: Sendable {
        package var layout: WorkerLayout
        /// Of each worker.
        package var devices: [String]
        /// Of each worker; nil divides the machine's cores.
        package var threads: Int?
        /// Cores that are divided among the workers, in order; empty: any.
        package var cpus: [Int] = []
        package var cacheType: CacheElementType
        package var contextLength: Int
        package var sequencesMax: Int
        /// Rows of a step at most.
        package var rowsMax = 256
        /// Whether prompts that begin alike are computed once.
        package var sharesPrefixes = true
        /// What the workers log.
        package var workerLogLevel = "warning"
        /// Path of `shard-worker`; nil looks beside this program and in PATH.
        package var workerProgram: String?

        package init(
            layout: WorkerLayout, devices: [String], threads: Int? = nil, cacheType: CacheElementType,
            contextLength: Int, sequencesMax: Int = 1
        ) {
            self.layout = layout
            self.devices = devices
            self.threads = threads
            self.cacheType = cacheType
            self.contextLength = contextLength
            self.sequencesMax = sequencesMax
        }
    }

    private enum Outcome: Sendable {
        case ready
        case ended(CoordinatorError?)
    }

    package var engine: ClusterEngine { cluster.engine }
    package var plan: Plan? {
        get async { await cluster.service.status.plan }
    }
    /// Of each worker, as it stood when the session was ready.
    package let processIDs: [Int32?]
    private let cluster: Cluster
    private let run: Task<CoordinatorError?, Never>

    /// Starts the workers and returns when they have loaded the model and taken up the plan.
    ///
    /// - Parameter print: takes the workers' log lines: name, line.
    package static func start(
        _ model: OpenedModel, _ options: Options, logger: Logger,
        print: @escaping @Sendable (String, String) -> Void = { _, _ in }
    ) async throws(ShardKitError) -> WorkerSession {
        var settings = ClusterOptions(
            name: model.file.name, workers: options.workers, contextLength: options.contextLength,
            cacheType: options.cacheType, maxSequences: options.sequencesMax,
            maxRows: options.rowsMax, policy: .manual)
        settings.sharesPrefixes = options.sharesPrefixes
        settings.workerProgram = options.workerProgram
        settings.workerLogLevel = options.workerLogLevel
        return try await start(model, cluster: settings, logger: logger, print: print)
    }

    /// The same over the workers that `settings` name: of this machine and of others.
    ///
    /// - Parameter status: told how the cluster stands whenever that may have changed, until it is ready.
    package static func start(
        _ model: OpenedModel, cluster settings: ClusterOptions, logger: Logger,
        status: @escaping @Sendable (ClusterStatus) -> Void = { _ in },
        print: @escaping @Sendable (String, String) -> Void = { _, _ in }
    ) async throws(ShardKitError) -> WorkerSession {
        let cluster: Cluster
        do {
            var settings = settings
            let hasRemoteWorkers = settings.workers.contains { $0.start != .local }
            let cacheFolder = FileHashCache.cacheFolder(environment: ProcessInfo.processInfo.environment)
            let (clusterModel, weights) = try await OwnThread.run { _ throws(CoordinatorError) in
                let clusterModel = try model.forCluster()
                return (
                    clusterModel, hasRemoteWorkers ? try ClusterWeights(clusterModel, cacheFolder: cacheFolder) : nil
                )
            }
            settings.weights = weights
            cluster = try await Cluster.start(settings, model: clusterModel, logger: logger, print: print)
        } catch {
            throw ShardKitError(clusterError: error)
        }
        let (outcomes, outcome) = AsyncStream<Outcome>.makeStream()
        let run = Task { () -> CoordinatorError? in
            var failure: CoordinatorError?
            do throws(CoordinatorError) { try await cluster.run() } catch { failure = error }
            outcome.yield(.ended(failure))
            return failure
        }
        let watch = Task { if await cluster.waitUntilReady() { outcome.yield(.ready) } }
        let telling = Task {
            for await _ in await cluster.service.watch() { status(await cluster.service.status) }
        }
        defer {
            watch.cancel()
            telling.cancel()
        }
        for await first in outcomes {
            switch first {
            case .ready:
                let status = await cluster.service.status
                return WorkerSession(cluster: cluster, run: run, processIDs: status.workers.map(\.processID))
            case .ended(let failure):
                throw failure.map { ShardKitError(clusterError: $0) }
                    ?? ShardKitError(.cluster, "the cluster stopped before it was ready")
            }
        }
        // Only a cancelled task gets here.
        await cluster.stop()
        _ = await run.value
        throw ShardKitError(.cluster, "cancelled while the workers were starting")
    }

    private init(cluster: Cluster, run: Task<CoordinatorError?, Never>, processIDs: [Int32?]) {
        self.cluster = cluster
        self.run = run
        self.processIDs = processIDs
    }

    deinit {
        let cluster = cluster
        Task { await cluster.stop() }
    }

    /// The logits that follow each token.
    ///
    /// - Parameters:
    ///   - chunk: rows of one step at most; the bits do not depend on it.
    ///   - body: called with `[rows, vocabularySize]` of the next rows, in order.
    package func logits(
        of tokens: [TokenID], chunk: Int, _ body: ([Float]) async throws -> Void
    ) async throws {
        try await cluster.engine.logits(of: tokens, chunk: chunk, body)
    }

    /// Lets running generations end, and then the workers; returns when no process is left.
    package func stop() async {
        await cluster.stop()
        _ = await run.value
    }

    /// Stops after `body`; a cancelled task stops it at once, and what `body` waits for fails.
    package func during<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let result: Result<Value, any Error> = await withTaskCancellationHandler {
            do { return .success(try await body()) } catch { return .failure(error) }
        } onCancel: {
            Task { await stop() }
        }
        await stop()
        return try result.get()
    }
}

extension WorkerSession.Options {
    fileprivate var workers: [WorkerSettings] {
        zip(layout.selections, devices).enumerated().map { index, worker in
            var settings = WorkerSettings(local: "worker-\(index)", threads: threads)
            settings.device = worker.1
            settings.layers = worker.0
            if !cpus.isEmpty {
                let count = layout.selections.count
                settings.cpus = cpus[cpus.count * index / count..<cpus.count * (index + 1) / count].sorted()
            }
            return settings
        }
    }
}

extension ShardKitError {
    fileprivate init(clusterError error: CoordinatorError) {
        self.init(error.code == .configuration ? .request : .cluster, error.message)
    }
}
