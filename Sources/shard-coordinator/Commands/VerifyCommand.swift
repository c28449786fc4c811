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
        var begun = VerifyReport(model: configuration.model.name)
        let reference = try await compute(work, alone, &begun)
        let (command, started) = (self, begun)
        let report = try await Self.untilStopped {
            try await command.compare(work, reference, alone, model, clusterOptions, started)
        }
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

    /// Enough of it for the longest sequence; none where the model's tokenizer is not understood, which is said.
    private func text(of model: OpenedModel) async throws -> [TokenID] {
        // A word is a token at least.
        let words = VerificationWork.words(min(length, model.spec.contextLength), seed: seed)
        return await OwnThread.run { _ in
            do { return try model.tokenizer().encode(words) } catch {
                StandardError.write(Program.singleLine("token ids of the seed stand for text: \(error)"))
                return []
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
            show(VerifyReport.line(setting))
            return reference
        } catch let error as ShardKitError {
            throw ProgramError(error.code == .failed ? .failedWhileRunning : .configuration, error.message)
        }
    }

    /// The same by the cluster, and what is behind a difference.
    private func compare(
        _ work: VerificationWork, _ reference: VerificationReference, _ alone: OneProcess, _ model: OpenedModel,
        _ clusterOptions: ClusterOptions, _ report: VerifyReport
    ) async throws -> VerifyReport {
        var report = report
        let line = StatusLine(isShown: options.showsProgress)
        defer { line.clear() }
        let logger = Logger(label: "shard-coordinator")
        let session: WorkerSession
        do {
            session = try await WorkerSession.start(
                model, cluster: clusterOptions, logger: logger,
                status: { if case .notReady(let reason) = $0.readiness { line.show("cluster: \(reason)") } },
                print: { StandardError.write(Program.singleLine("\($0): \($1)")) })
        } catch {
            throw ProgramError(error.code == .request ? .configuration : .failedWhileRunning, error.message)
        }
        line.clear()
        report.plan = await session.plan
        if let plan = report.plan { show(VerifyReport.line(plan)) }
        let verification = ClusterVerification(work: work, reference: reference, engine: session.engine)
        report.checks = try await session.during { try await check(verification) }
        if let different = report.checks.first(where: { $0.difference != nil }), let plan = report.plan {
            let search = SuspectSearch(
                model, options: clusterOptions, work: work, reference: reference, logger: logger)
            report.trials =
                await search?.run(different.subject, plan: plan) {
                    line.show("cluster: once more without \($0)")
                } ?? []
            line.show("this machine alone: once more")
        }
        try Task.checkCancellation()
        report.checks = try await alone.explain(report.checks, of: work)
        return report
    }

    private func check(_ verification: ClusterVerification) async throws -> [VerificationCheck] {
        var checks: [VerificationCheck] = []
        for subject in verification.subjects {
            do {
                let check = try await verification.check(subject)
                checks.append(check)
                show(VerifyReport.line(check))
            } catch {
                throw ProgramError(.failedWhileRunning, "stopped after \(checks.count) checks: \(error)")
            }
        }
        return checks
    }

    private func show(_ line: String) {
        if !json { StandardOutput.write(line) }
    }

    /// Signals end the work in order, as there are workers now; whoever asks twice does not want to wait for them.
    private static func untilStopped<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let signals = Signals.stream(SIGTERM, SIGINT)
        let work = Task { try await body() }
        let stopper = Task {
            var isStopping = false
            for await _ in signals {
                if isStopping { Foundation.exit(ProgramExit.failedWhileRunning.rawValue) }
                isStopping = true
                work.cancel()
            }
        }
        defer { stopper.cancel() }
        do { return try await work.value } catch is CancellationError {
            throw ProgramError(.failedWhileRunning, "stopped before all was compared")
        }
    }
}
