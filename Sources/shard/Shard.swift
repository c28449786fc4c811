import ArgumentParser
import ShardKit
import Sharding
import Terminal

/// `shard`: look at, split and run models on this machine.
@main
struct Shard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard",
        abstract: "Look at, split and run language models.",
        discussion: """
            Examples:
              shard devices
              shard split model.gguf --shards 4 -o shards
              shard info shards
              shard chat model.gguf -p "What is 12 plus 7?"
              shard bench model.gguf --threads 1,2

            Exit codes: 0 fine, 1 failed while running, 2 configuration or does not fit, 64 usage.
            """,
        version: ShardVersion.current,
        subcommands: [
            DevicesCommand.self, SplitCommand.self, InfoCommand.self, VerifyCommand.self, AssignCommand.self,
            RunCommand.self, ChatCommand.self, LogitsCommand.self, TokenizeCommand.self, TemplateCommand.self,
            BenchCommand.self, CacheCommand.self,
        ])

    static func main() async {
        await Program.main(Shard.self) { error in
            switch error {
            case let error as ShardKitError where error.code == .request || error.code == .doesNotFit: .configuration
            case let error as EngineError where error.code == .invalidRequest: .configuration
            default: .failedWhileRunning
            }
        }
    }
}
