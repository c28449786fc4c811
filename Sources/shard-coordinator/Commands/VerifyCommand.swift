import ArgumentParser
import Coordinator
import Foundation
import Logging
import ShardKit
import Sharding
import Terminal

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Let the cluster compute what this machine computes alone, and compare every bit.",
        discussion: """
            First one process on this machine computes logits, answers and an embedding of some text, with all weights in \
            memory where they fit, otherwise within a budget. Then the cluster does the same by its plan: in steps of one \
            row and of many, one request after the other and all at once. Local workers are started for it, others are \
            waited for; all of them end afterwards. No HTTP is served.

            Exit codes: 0 all equal, 1 something differs or failed, 2 configuration or does not fit.

            Examples:
              shard-coordinator verify --config cluster.yaml
              shard-coordinator verify --config cluster.yaml --length 64 --memory-budget 8GiB --json
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var program: WorkerProgramOptions

    @Option(help: "Tokens of the longest sequence, as far as the context goes.")
    var length = VerificationWork.lengthMaxDefault

    @Option(help: "Another seed makes another text.")
    var seed = VerificationWork.seedDefault

    @Option(
        help: ArgumentHelp(
            """
            All the memory that this process may take to compute alone, such as 8GiB; by default as much as it takes, and \
            what is free, less 1 GiB, where the model does not fit.
            """, valueName: "bytes"))
    var memoryBudget: ByteCount?

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup var options: ProgramOptions

    func validate() throws {
        guard 1...1_000_000 ~= length else {
            throw ValidationError("--length: expected 1 to 1000000, got \(length)")
        }
    }

    func run() async throws {
        options.startLogging()
        let configuration = try file.load()
        let (model, clusterModel) = try await file.open(configuration)
        let clusterOptions = try clusterOptions(configuration)
        let settings = try configured { try clusterOptions.settings(for: clusterModel) }
        let work = VerificationWork(
            text: try await text(of: model), vocabularySize: settings.capacity.vocabularySize,
            contextLength: settings.capacity.contextLength, seed: seed, lengthMax: length,
            rowsMax: settings.capacity.maxRows)
        let alone = OneProcess(
            path: configuration.model.source, cacheType: settings.cacheType, positionsMax: work.positionsMax,
            budgetBytes: memoryBudget?.bytes)
        var report = VerifyReport(model: configuration.model.name)
        let reference = try await compute(work, alone, &report)
        try await compare(work, reference, model, clusterOptions, &report)
        report.checks = try await alone.explain(report.checks, of: work)
        if json {
            StandardOutput.write(try report.json())
        } else {
            StandardOutput.write(lines: report.conclusion)
        }
        if !report.isEqual { throw ExitCode(ProgramExit.failedWhileRunning.rawValue) }
    }

    private func clusterOptions(_ configuration: ClusterConfiguration) throws -> ClusterOptions {
        var options = ClusterOptions(configuration)
        options.workerProgram = program.worker
        options.workerLogLevel = self.options.workerLogLevel.rawValue
        // Its own requests are all asked at once.
        options.queueMax = max(options.queueMax, 16)
        options.security = try configured { try ClusterSecurity(configuration) }
        return options
    }

    private func configured<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as CoordinatorError { throw ProgramError(error) } catch {
            throw ProgramError(.configuration, "\(error)")
        }
    }

    /// Enough of it for the longest sequence; none where the model has no tokenizer that is understood.
    private func text(of model: OpenedModel) async throws -> [TokenID] {
        let (length, seed) = (min(length, model.spec.contextLength), seed)
        return try await OwnThread.run { _ throws(ShardKitError) in
            guard let tokenizer = try? model.tokenizer() else { return [] }
            // A word is a token at least.
            do { return try tokenizer.encode(VerificationWork.words(length, seed: seed)) } catch {
                throw ShardKitError(error)
            }
        }
    }

    /// What is right, by one process.
    private func compute(
        _ work: VerificationWork, _ alone: OneProcess, _ report: inout VerifyReport
    ) async throws -> VerificationReference {
        let line = StatusLine(isShown: options.showsProgress)
        line.show("this machine alone: loading")
        defer { line.clear() }
        do {
            let (reference, setting) = try await alone.with { engine, setting in
                let reference = try await VerificationReference(of: work, by: engine, rowsMax: setting.rowsMax) {
                    line.show("this machine alone: \($0) of \($1) positions")
                }
                return (reference, setting)
            }
            line.clear()
            report.alone = setting
            if !json { StandardOutput.write(VerifyReport.line(setting)) }
            return reference
        } catch let error as ShardKitError {
            throw ProgramError(error.code == .failed ? .failedWhileRunning : .configuration, error.message)
        }
    }

    /// The same by the cluster.
    private func compare(
        _ work: VerificationWork, _ reference: VerificationReference, _ model: OpenedModel,
        _ clusterOptions: ClusterOptions, _ report: inout VerifyReport
    ) async throws {
        let line = StatusLine(isShown: options.showsProgress)
        defer { line.clear() }
        let starting = Task {
            try await WorkerSession.start(
                model, cluster: clusterOptions, logger: Logger(label: "shard-coordinator"),
                status: { if case .notReady(let reason) = $0.readiness { line.show("cluster: \(reason)") } },
                print: { StandardError.write(Program.singleLine("\($0): \($1)")) })
        }
        let stopper = Self.stopOnSignal(starting)
        defer { stopper.cancel() }
        let session: WorkerSession
        do { session = try await starting.value } catch let error as ShardKitError {
            throw ProgramError(error.code == .request ? .configuration : .failedWhileRunning, error.message)
        }
        line.clear()
        report.plan = await session.plan
        if !json, let plan = report.plan { StandardOutput.write(VerifyReport.line(plan)) }
        do {
            let verification = ClusterVerification(work: work, reference: reference, engine: session.engine)
            for subject in verification.subjects {
                let check = try await verification.check(subject)
                report.checks.append(check)
                if !json { StandardOutput.write(VerifyReport.line(check)) }
            }
        } catch {
            await session.stop()
            throw ProgramError(.failedWhileRunning, "after \(report.checks.count) checks: \(error)")
        }
        await session.stop()
    }

    /// There are workers now that have to end in order; whoever asks twice does not want to wait for them.
    private static func stopOnSignal(_ starting: Task<WorkerSession, any Error>) -> Task<Void, Never> {
        let signals = Signals.stream(SIGTERM, SIGINT)
        return Task {
            var isStopping = false
            for await _ in signals {
                if isStopping { Foundation.exit(ProgramExit.failedWhileRunning.rawValue) }
                isStopping = true
                starting.cancel()
                Task { if case .success(let session) = await starting.result { await session.stop() } }
            }
        }
    }
}
