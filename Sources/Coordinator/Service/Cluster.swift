import Devices
import Foundation
import Logging
import Sharding
import WeightTransfer
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
    /// Absent where all workers have the files.
    package let weights: WeightServer?

    /// Binds the sockets; no worker is started before ``run()``.
    ///
    /// - Parameter print: takes the lines of launched workers: name, line.
    package static func start(
        _ options: ClusterOptions, model: ClusterModel, logger: Logger,
        print: @escaping @Sendable (String, String) -> Void = { _, _ in }
    ) async throws(CoordinatorError) -> Cluster {
        var settings = try options.settings(for: model)
        let hasLocalWorkers = options.workers.contains { $0.start == .local }
        let path = hasLocalWorkers ? try WorkerProgram.locate(options.workerProgram) : nil
        let trace = try options.traceFile.map { path throws(CoordinatorError) in
            try TraceFile(path: path) { logger.warning("\($0)") }
        }
        do {
            let keys = Set(settings.workers.compactMap(\.key))
            let sockets = try await SocketThread.start(
                SocketThread.Options(
                    control: options.control, results: options.results, keys: options.security?.keys,
                    admitted: keys, run: settings.run,
                    heartbeat: options.deadlines.heartbeat,
                    logitCountMax: settings.capacity.maxRows * settings.capacity.vocabularySize))
            settings.resultsEndpoint = options.advertised(sockets.endpoints.results).description
            let server = try options.weights.map { weights throws(WeightTransferError) in
                try weights.server(options, sockets, readers: keys, logger: logger)
            }
            settings.weights = options.weights.flatMap { weights in
                server.map { weights.offered(at: options.advertised($0.endpoint)) }
            }
            let programs = options.programs(
                path: path, control: sockets.endpoints.control, folder: model.folder)
            let launcher = programs.isEmpty ? nil : WorkerLauncher(programs: programs, print: print)
            var parts = CoordinatorService.Parts(
                sockets: sockets, table: model.table, weights: server, processes: launcher, logger: logger)
            parts.trace = trace
            let service = try CoordinatorService(settings: settings, parts: parts)
            let engine = ClusterEngine(
                model: EngineModel(
                    name: options.name, vocabularySize: model.spec.vocabularySize,
                    contextLength: settings.capacity.contextLength, hiddenSize: model.spec.hiddenSize), service: service
            )
            return Cluster(
                engine: engine, service: service, model: model, settings: settings, endpoints: sockets.endpoints,
                launcher: launcher, weights: server)
        } catch {
            throw CoordinatorError(.failed, "coordinator: \(error)", cause: error)
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
    /// What the decisions rest on; the endpoint for results is filled in when it is bound.
    package func settings(for model: ClusterModel) throws(CoordinatorError) -> ClusterSettings {
        let context = contextLength ?? model.spec.contextLength
        guard context > 0, context <= model.spec.contextLength else {
            throw CoordinatorError(
                .configuration,
                "model.context: expected 1 to \(model.spec.contextLength), which \(name) was made for, got \(context)")
        }
        var capacity = ClusterSettings.Capacity(
            vocabularySize: model.spec.vocabularySize, hiddenSize: model.spec.hiddenSize, contextLength: context,
            maxSequences: maxSequences, queueMax: queueMax, maxRows: maxRows, blockPositions: CacheShape.blockPositions)
        capacity.gapMax = gapMax
        capacity.sharesPrefixes = sharesPrefixes
        var settings = ClusterSettings(
            run: .random(),
            workers: workers.map {
                ClusterSettings.ExpectedWorker(
                    name: $0.name, start: $0.start, key: security?.key(of: $0.name), memoryBytes: $0.memoryBytes,
                    mode: $0.mode, selection: $0.layers)
            },
            model: model.reference,
            placementModel: try model.placementModel(
                name: name, cacheType: cacheType, maxRows: maxRows, maxHeadRows: capacity.maxHeadRows),
            policy: policy, objective: objective, reserveBytes: reserveBytes, cacheType: cacheType,
            capacity: capacity, resultsEndpoint: "")
        settings.machine = MachineFiles().id
        settings.coordinatorKey = security?.keys.publicKey
        settings.deadlines = deadlines
        settings.retries = retries
        settings.plansOnly = plansOnly
        return settings
    }

    /// The processes that are started from here.
    ///
    /// - Parameters:
    ///   - path: of `shard-worker` on this machine; nil where none is started on it.
    ///   - control: where the coordinator listens, with the port that was taken.
    ///   - folder: of the model's files on this machine.
    func programs(path: String?, control: Endpoint, folder: String) -> [WorkerLauncher.Program] {
        let local = control.isWildcard ? Endpoint.loopback(port: control.port) : control
        return workers.compactMap { worker in
            var program = WorkerProgram(
                worker: worker, coordinator: advertised(control, isControl: true), logLevel: workerLogLevel)
            program.isVerifying = isVerifying
            program.logsJSON = workersLogJSON
            program.keys = security?.launched[worker.name]
            program.coordinatorKey = security?.keys.publicKey
            switch worker.start {
            case .external: return nil
            case .ssh: return program.overSSH()
            case .local:
                program.coordinator = local
                program.modelFolders = [folder]
                // Reachable for workers of other machines where the coordinator is.
                program.bind = control.isLoopback ? nil : Endpoint(host: control.host, port: 0)
                return path.map { program.here(at: $0) }
            }
        }
    }
}
