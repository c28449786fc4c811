import ArgumentParser
import Sharding
import Terminal

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration file; start nothing.",
        discussion: """
            Example:
              shard-coordinator check --config cluster.yaml
            """)

    @OptionGroup var file: ConfigurationOptions
    @OptionGroup var options: ProgramOptions

    func run() async throws {
        let configuration = try file.load()
        if !options.quiet {
            let names = configuration.workers.map(\.name).joined(separator: ", ")
            StandardOutput.write("\(file.config): fine: model \(configuration.model.name), workers \(names)")
        }
    }
}
