import ArgumentParser

/// `shard bench`: measures models on this machine, or a server.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast models run here, or how a server fares under load.",
        discussion: """
            `shard bench MODEL` measures models in this process (its options: `shard bench \
            models --help`), `shard bench serve URL` a server of any make. \
            docs/benchmarking.md says more.

            Examples:
              shard bench model.gguf
              shard bench a.gguf b.gguf --threads 1,2 --json new.json --plot new.svg
              shard bench serve http://127.0.0.1:8080 --streams 8 --requests 64
            """,
        subcommands: [BenchModelsCommand.self, BenchServeCommand.self],
        defaultSubcommand: BenchModelsCommand.self)
}
