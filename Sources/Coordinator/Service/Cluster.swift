import Devices
import Foundation
import Logging
import Sharding
import ZeroMQ

/// A cluster put together: model, sockets, decisions, worker processes, and the engine over them.
///
///     let cluster = try await Cluster.start(options, model: model, logger: logger)
///     async let end: Void = cluster.run()
///     …
///     await cluster.stop()
package struct Cluster: Sendable {
    package let engine: ClusterEngine
    package let service: CoordinatorService
    package let model: ClusterModel
    package let settings: ClusterSettings
    package let endpoints: SocketThread.Endpoints
    /// Absent where others start all workers.
    package let launcher: WorkerLauncher?

    /// Binds the sockets; no worker is started before ``run()``.
    ///
    /// - Parameter print: takes the lines of launched workers: name, line.
    package static func start(
        _ options: ClusterOptions, model: ClusterModel, logger: Logger,
        print: @escaping @Sendable (String, String) -> Void = { _, _ in }
    ) async throws(CoordinatorError) -> Cluster {
        var settings = try options.settings(for: model)
        let path = options.hasLocalWorkers ? try WorkerProgram.locate(options.workerProgram) : nil
        do {
            let sockets = try await SocketThread.start(
                SocketThread.Options(
                    control: options.control, run: settings.run, heartbeat: options.deadlines.heartbeat,
                    logitCountMax: settings.capacity.maxRows * settings.capacity.vocabularySize))
            settings.resultsEndpoint = sockets.endpoints.results.description
            let launcher = path.map { path in
                WorkerLauncher(
                    path: path,
                    programs: options.programs(control: sockets.endpoints.control.description, folder: model.folder),
                    print: print)
            }
            let service = try CoordinatorService(
                settings: settings,
                parts: CoordinatorService.Parts(
                    sockets: sockets, table: model.table, processes: launcher, logger: logger))
            let engine = ClusterEngine(
                model: EngineModel(
                    name: options.name, vocabularySize: model.spec.vocabularySize,
                    contextLength: settings.capacity.contextLength), service: service)
            return Cluster(
                engine: engine, service: service, model: model, settings: settings, endpoints: sockets.endpoints,
                launcher: launcher)
        } catch {
            throw CoordinatorError(.failed, "coordinator.bind: \(error)", cause: error)
        }
    }

    /// Until the cluster was stopped, or cannot come up.
    package func run() async throws(CoordinatorError) { try await service.run() }

    /// Drains, ends the workers that were started here, and lets ``run()`` return.
    package func stop() async { await service.stop() }

    /// Waits for all workers' hellos and plans; loads nothing. In place of ``run()``, on a cluster whose options say
    /// so.
    ///
    /// - Parameter wait: how long workers have to report.
    package func plan(within wait: Duration) async throws(CoordinatorError) -> Plan {
        let timeout = Task { [service] in
            try await Task.sleep(for: wait)
            await service.stop()
        }
        defer { timeout.cancel() }
        try await service.run()
        if let plan = await service.plannedPlan { return plan }
        guard case .notReady(let reason) = await service.lastReadiness else {
            throw CoordinatorError(.failed, "no plan was made")
        }
        throw CoordinatorError(.failed, "plan: no hello within \(ClusterMachine.seconds(wait)): \(reason)")
    }

    /// Returns when a token can be produced; false when the watch ended before that.
    package func waitUntilReady() async -> Bool {
        for await _ in await service.watch() {
            if case .ready = await service.readiness { return true }
        }
        return false
    }
}

extension ClusterOptions {
    var hasLocalWorkers: Bool { workers.contains { $0.start == .local } }

    /// What the decisions rest on; the endpoint for results is filled in when it is bound.
    package func settings(for model: ClusterModel) throws(CoordinatorError) -> ClusterSettings {
        let context = contextLength ?? model.spec.contextLength
        guard context > 0, context <= model.spec.contextLength else {
            throw CoordinatorError(
                .configuration,
                "model.context: expected 1 to \(model.spec.contextLength), which \(name) was made for, got \(context)")
        }
        let capacity = ClusterSettings.Capacity(
            vocabularySize: model.spec.vocabularySize, contextLength: context, maxSequences: maxSequences,
            queueMax: queueMax, maxRows: maxRows, blockPositions: CacheShape.blockPositions)
        var settings = ClusterSettings(
            run: .random(),
            workers: workers.map {
                ClusterSettings.ExpectedWorker(
                    name: $0.name, isLaunched: $0.start == .local, memoryBytes: $0.memoryBytes, selection: $0.layers)
            },
            model: model.reference,
            placementModel: try model.placementModel(
                name: name, cacheType: cacheType, maxRows: maxRows, maxHeadRows: capacity.maxHeadRows),
            policy: policy, objective: objective, reserveBytes: reserveBytes, cacheType: cacheType,
            capacity: capacity, resultsEndpoint: "")
        settings.deadlines = deadlines
        settings.retries = retries
        settings.plansOnly = plansOnly
        return settings
    }

    /// Command lines of the workers that are started here; the machine's cores are divided among them.
    func programs(control: String, folder: String) -> [WorkerLauncher.Program] {
        let local = workers.filter { $0.start == .local }
        let threads = max(1, MachineFiles().coreCount / max(1, local.count))
        return local.map { worker in
            WorkerLauncher.Program(
                worker: worker.name,
                arguments: WorkerProgram.arguments(
                    for: worker, control: control, threads: threads, modelFolders: [folder],
                    logLevel: workerLogLevel, isVerifying: isVerifying))
        }
    }
}
