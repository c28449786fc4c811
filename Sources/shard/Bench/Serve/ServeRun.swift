import Devices
import Foundation
import LoadTesting
import Terminal

/// One run of `shard bench serve`, from the server's models to the report.
struct ServeRun {
    private let target: LoadTarget
    private let plan: LoadPlan
    private let request: ServeRequestOptions
    private let program: ProgramOptions

    /// Files that this process has open beside its connections.
    private static let otherFiles = 64
    private static let modelsShown = 10

    init(url: String, _ load: ServeLoadOptions, _ request: ServeRequestOptions, _ program: ProgramOptions) throws {
        target = try LoadTarget(url: url, key: request.key(), timeout: request.timeout.duration)
        plan = load.plan()
        self.request = request
        self.program = program
        try Self.checkOpenFiles(plan)
    }

    private static func checkOpenFiles(_ plan: LoadPlan) throws {
        var limit = rlimit()
        guard plan.streams > 0, getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let needed = plan.streams + Self.otherFiles
        guard UInt(limit.rlim_cur) < UInt(needed) else { return }
        throw ProgramError(
            .configuration,
            "--streams: expected at most \(Int(limit.rlim_cur) - Self.otherFiles), which the open files of this process "
                + "allow, got \(plan.streams); raise it with ulimit -n \(needed)")
    }

    func report() async throws -> LoadReport {
        let clock = ContinuousClock()
        let start = clock.now
        let client = LoadClient(target, connectionsMax: plan.connectionsMax) { clock.now - start }
        do {
            let report = try await report(client) { clock.now - start }
            try await client.shutdown()
            return report
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private func report(_ client: LoadClient, now: @escaping @Sendable () -> Duration) async throws -> LoadReport {
        let wanted = request.shape(model: try await model(client))
        let (shape, notes) = try await ServerProbe.shape(wanted) { await client.ask($0, as: $1).result }
        let driver = LoadDriver(plan, shape: shape, now: now) { await client.ask($0, as: shape) }
        let outcome = try await watch(driver)
        let machine = MachineFiles()
        return LoadReport(
            plan, target, shape, notes: notes, outcome,
            client: LoadReport.Client(
                cpu: machine.processorName, cores: machine.coreCount, os: machine.systemName,
                cpuSeconds: outcome.cpuSeconds))
    }

    private func model(_ client: LoadClient) async throws -> String {
        if let model = request.model { return model }
        let models = try await client.models()
        guard models.count == 1 else {
            let names = models.prefix(Self.modelsShown).joined(separator: ", ")
            throw ProgramError(
                .configuration,
                "--model: expected one of the server's \(models.count) models, got none: \(Program.singleLine(names))")
        }
        return models[0]
    }

    /// Runs it, with a line about how far it is, until it is done or somebody presses Ctrl-C; a second time ends the program.
    private func watch(_ driver: LoadDriver) async throws -> LoadDriver.Outcome {
        let isShown = program.showsProgress
        let result = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var presses = 0
                for await _ in Signals.stream(SIGINT) {
                    presses += 1
                    if presses > 1 { Foundation.exit(130) }
                    driver.stop()
                }
            }
            if isShown {
                group.addTask {
                    while (try? await Task.sleep(for: .seconds(1))) != nil {
                        StandardError.write(raw: "\r\u{1B}[K\(ServeText.progress(driver.progress))")
                    }
                    StandardError.write(raw: "\r\u{1B}[K")
                }
            }
            let result: Result<LoadDriver.Outcome, LoadFailure>
            do throws(LoadFailure) {
                result = .success(try await driver.run())
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            return result
        }
        return try result.get()
    }
}
