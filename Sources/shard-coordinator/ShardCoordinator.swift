import ArgumentParser
import Sharding
import Terminal

/// `shard-coordinator`: the whole cluster from one file.
@main
struct ShardCoordinator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard-coordinator",
        abstract: "Run a language model on several worker processes.",
        discussion: """
            Examples:
              shard-coordinator check --config cluster.yaml
              shard-coordinator plan --config cluster.yaml
              shard-coordinator verify --config cluster.yaml
              shard-coordinator launch --config cluster.yaml
              shard-coordinator top --config cluster.yaml
              shard-coordinator keygen -o keys
              shard-coordinator emit slurm --config cluster.yaml

            Exit codes: 0 fine, 1 failed while running, 2 configuration or does not fit, 64 usage.
            """,
        version: ShardVersion.current,
        subcommands: [
            LaunchCommand.self, PlanCommand.self, VerifyCommand.self, CheckCommand.self, TopCommand.self,
            KeygenCommand.self,
            EmitCommand.self,
        ])

    static func main() async { await Program.main(ShardCoordinator.self) }
}
