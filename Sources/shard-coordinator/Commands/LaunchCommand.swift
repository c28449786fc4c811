import ArgumentParser
import Coordinator
import Foundation
import Logging
import ServiceLifecycle
import Serving
import ShardKit
import Sharding
import Terminal

struct LaunchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch",
        abstract: "Start the workers of this machine, wait for the others, load the model, and serve it over HTTP.",
        discussion: """
            SIGTERM or Ctrl-C lets running answers end, then stops the workers that it started. A second one stops \
            at once. SIGHUP reads the workers' keys (security.workers) anew: who is no longer listed is out; and the \
            API's keys and certificate (coordinator.api_keys, tls), which are also read when their files change.

            Example:
              shard-coordinator launch --config cluster.yaml
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var program: WorkerProgramOptions
    @Flag(help: "Let the workers started here compare the hashes of all files anew.")
    var verify = false
    @Option(
        help: ArgumentHelp(
            "Copy this tarball of scripts/package to the machines of workers with start: ssh that name no program.",
            valueName: "tarball"))
    var install: String?
    @Option(
        help: ArgumentHelp(
            "Write what stages, steps and requests do to this file, for ui.perfetto.dev or chrome://tracing; up to 256 MiB.",
            valueName: "file"))
    var trace: String?
    @OptionGroup var options: ProgramOptions

    func run() async throws {
        options.startLogging()
        let hangups = Signals.stream(SIGHUP)
        let configuration = try file.load()
        let (opened, model) = try await file.open(configuration)
        let served = try await OwnThread.run { _ in try Self.served(opened) }
        let console = LaunchConsole(options: options)
        let logger = Logger(label: "shard-coordinator")
        var clusterOptions = ClusterOptions(configuration)
        clusterOptions.workerProgram = program.worker
        clusterOptions.workerLogLevel = options.logLevel.rawValue
        clusterOptions.workersLogJSON = options.logFormat == .json
        clusterOptions.isVerifying = verify
        clusterOptions.traceFile = trace
        do {
            // Until here signals end the program by themselves: nothing was started that has to end in order.
            clusterOptions.security = try ClusterSecurity(configuration)
            let httpFiles = try await HTTPFiles.load(configuration.coordinator, logger: logger)
            clusterOptions.weights = try await Self.weights(of: model, configuration, options)
            if let install {
                clusterOptions.workers = try await Self.installed(install, clusterOptions.workers, logger)
            }
            let signals = Signals.stream(SIGTERM, SIGINT)
            let cluster = try await Cluster.start(clusterOptions, model: model, logger: logger) { worker, line in
                Task { await console.line(of: worker, line) }
            }
            try await serve(
                cluster, configuration, served, httpFiles, console: console, signals: signals, hangups: hangups,
                logger: logger)
        } catch let error as CoordinatorError {
            throw ProgramError(error)
        }
    }

    private func serve(
        _ cluster: Cluster, _ configuration: ClusterConfiguration, _ served: ServedModel, _ httpFiles: HTTPFiles,
        console: LaunchConsole, signals: AsyncStream<Int32>, hangups: AsyncStream<Int32>, logger: Logger
    ) async throws {
        let http = try await HTTPFront.start(
            cluster.engine, served, at: configuration.coordinator.http, files: httpFiles, logger: logger)
        let stopper = Task {
            var isStopping = false
            for await _ in signals {
                // Whoever asks twice does not want to wait. The workers see this process end.
                if isStopping { Foundation.exit(1) }
                isStopping = true
                await http.stop()
                await cluster.stop()
            }
        }
        let reloader = Task { [file] in
            for await _ in hangups {
                do {
                    await cluster.service.rekey(try file.load().security.workerKeys)
                    logger.notice("read the workers' keys anew")
                } catch {
                    logger.error("the workers' keys stay as they are: \(error)")
                }
                await httpFiles.reload()
            }
        }
        let fileWatcher = Task { await httpFiles.watch() }
        defer {
            reloader.cancel()
            fileWatcher.cancel()
        }
        let watcher = Task {
            // As it was when its epoch became ready: what links give changes all the time.
            var shown: (epoch: Epoch?, lines: [String]) = (nil, [])
            for await _ in await cluster.service.watch() {
                let status = await cluster.service.status
                if status.readiness == .ready, let plan = status.plan, status.epoch != shown.epoch {
                    let report = PlanReport(plan: plan, model: configuration.model.name, settings: cluster.settings)
                    shown = (status.epoch, report.lines)
                }
                await console.show(
                    status, model: configuration.model.name, endpoint: cluster.endpoints.control.description,
                    http: http.url, plan: shown.lines)
                if status.readiness == .ready { await console.end() }
            }
        }
        let outcome: Result<Void, any Error>
        do {
            try await cluster.run()
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        watcher.cancel()
        await http.stop()
        try? await http.ended()
        stopper.cancel()
        try outcome.get()
    }

    /// Workers of other machines may lack the files; nil where there are none.
    private static func weights(
        of model: ClusterModel, _ configuration: ClusterConfiguration, _ options: ProgramOptions
    ) async throws -> ClusterWeights? {
        guard configuration.workers.contains(where: { $0.start != .local }) else { return nil }
        let cacheFolder = FileHashCache.cacheFolder(environment: ProcessInfo.processInfo.environment)
        let bar = ProgressBar("hashing", isShown: options.showsProgress)
        defer { bar.finish() }
        return try await OwnThread.run { _ in
            try ClusterWeights(model, cacheFolder: cacheFolder) { done, total in bar.update(done: done, total: total) }
        }
    }

    /// The workers with the paths of the programs that were copied for them.
    private static func installed(
        _ tarball: String, _ workers: [WorkerSettings], _ logger: Logger
    ) async throws -> [WorkerSettings] {
        let package = try await OwnThread.run { _ in try RemoteInstall(tarball: tarball) }
        var workers = workers
        for index in workers.indices where workers[index].start == .ssh && workers[index].program == nil {
            guard let target = workers[index].ssh else { continue }
            workers[index].program = try await package.install(on: target)
            logger.info("\(workers[index].program ?? "")", metadata: ["worker": "\(workers[index].name)"])
        }
        return workers
    }

    private static func served(_ opened: OpenedModel) throws -> ServedModel {
        do {
            let tokenizer = try opened.tokenizer()
            // A model without one still completes text; chat requests are refused then.
            let template = try? opened.chatTemplate()
            return ServedModel(
                tokenizer: tokenizer, template: template, sampling: opened.sampling,
                endTokens: opened.endTokens(tokenizer))
        } catch {
            throw ProgramError(.configuration, "\(error)")
        }
    }
}
