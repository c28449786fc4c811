import ArgumentParser
import Sharding
import Terminal

/// `shard-worker`: computes a model's layers for a coordinator; `run` is what it does without a subcommand.
@main
struct ShardWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard-worker",
        abstract: "Computes a model's layers for a coordinator.",
        usage: """
            shard-worker --coordinator <tcp://host:port> [<options>]
            shard-worker keygen --name <name> [--output <folder>]
            """,
        discussion: """
            One process a device. Start it before or after its coordinator: it waits, and joins again when the \
            coordinator comes back. It looks for the model's files by their names in the --models folders.

            Examples:
              shard-worker --coordinator tcp://127.0.0.1:5555 --name a --threads 2 --models Models/demo
              shard-worker --coordinator tcp://127.0.0.1:5555 --device cpu --models shards --models ~/models

            Exit codes: 0 it left as it was asked to, 1 it failed while running, 2 its configuration is wrong or the \
            coordinator refused it, 64 wrong usage.

            \(runOptions)
            """,
        version: ShardVersion.current,
        subcommands: [RunCommand.self, KeygenCommand.self], defaultSubcommand: RunCommand.self)

    /// The options of the default subcommand, which the argument parser shows only with its own help.
    private static var runOptions: String {
        let help = RunCommand.helpMessage()
        guard let start = help.range(of: "OPTIONS:") else { return help }
        let lines = help[start.upperBound...].split(separator: "\n").filter { !$0.contains("Show help information") }
        return "OPTIONS OF RUN, the default:\n" + lines.joined(separator: "\n")
    }

    static func main() async { await Program.main(Self.self) }
}
