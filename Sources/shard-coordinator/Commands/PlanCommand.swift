import ArgumentParser
import Coordinator
import Logging
import Sharding
import Terminal

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print who would compute what, and how fast; load nothing.",
        discussion: """
            Local workers are started to say what they are, and end again; others are waited for.

            Example:
              shard-coordinator plan --config cluster.yaml --json
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var program: WorkerProgramOptions
    @Flag(help: "Print one JSON object.") var json = false
    @OptionGroup var options: ProgramOptions

    func run() async throws {
        options.startLogging()
        let configuration = try file.load()
        let model = try await file.open(configuration).cluster
        var clusterOptions = ClusterOptions(configuration)
        clusterOptions.plansOnly = true
        clusterOptions.workerProgram = program.worker
        clusterOptions.workerLogLevel = options.logLevel.rawValue
        let signals = Signals.stream(2, 15)
        do {
            clusterOptions.security = try ClusterSecurity(configuration)
            let cluster = try await Cluster.start(
                clusterOptions, model: model, logger: Logger(label: "shard-coordinator"),
                print: { StandardError.write(Program.singleLine("\($0): \($1)")) })
            let stopper = Task {
                for await _ in signals { await cluster.stop() }
            }
            defer { stopper.cancel() }
            let plan = try await cluster.plan(within: configuration.failure.wait)
            let report = PlanReport(plan: plan, model: configuration.model.name, settings: cluster.settings)
            if json {
                StandardOutput.write(try report.json())
            } else {
                for line in report.lines { StandardOutput.write(line) }
            }
        } catch let error as CoordinatorError {
            throw ProgramError(error)
        }
    }
}
