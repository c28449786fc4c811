import ArgumentParser
import Foundation
import Measuring
import Terminal

/// `shard bench MODEL`: what the machine can do, and how fast models run on it.
struct BenchModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Measure how fast models run here, and what part of the machine's limits that is.",
        discussion: """
            First the machine: how fast memory is read, how many products a second its \
            cores compute. Then prompts and generations of every model, with every count \
            of threads, at every depth, for every count of sequences: the median of the \
            repetitions, the lowest and the highest. docs/benchmarking.md says more.

            Without a model, the machine's limits alone.

            Examples:
              shard bench model.gguf
              shard bench a.gguf b.gguf --threads 1,2 --json new.json --plot new.svg
              shard bench model.gguf --depth 0,8192 --sequences 1,8
              shard bench big.gguf --mode memory-efficient --memory-budget 2GiB --prompt 64 --generate 8
              shard bench model.gguf --against old.json
              shard bench --from new.json --against old.json
            """)

    @Argument(help: "GGUF files, Hugging Face directories, or folders of shards.")
    var models: [String] = []

    @OptionGroup(title: "What is measured") var bench: BenchOptions
    @OptionGroup(title: "Files") var files: BenchFileOptions
    @OptionGroup var program: ProgramOptions

    func validate() throws {
        if files.from != nil, !models.isEmpty { throw ValidationError("--from: expected no models beside it") }
    }

    func run() async throws {
        program.startLogging()
        let old = try files.against.map(BenchFiles.read)
        try BenchFiles.checkWritable([files.json, files.csv, files.plot])
        let report = try await report()
        if !files.writesToOutput { StandardOutput.write(lines: BenchText.results(report)) }
        try BenchFiles.write(try report.json() + "\n", to: files.json)
        try BenchFiles.write(report.csv(), to: files.csv)
        try BenchFiles.write(BenchmarkPlot(report).svg(), to: files.plot)
        guard let old else { return }
        let lines = [""] + BenchText.comparison(BenchmarkComparison(old: old, new: report))
        if files.writesToOutput { StandardError.write(lines) } else { StandardOutput.write(lines: lines) }
    }

    private func report() async throws -> BenchmarkReport {
        if let from = files.from {
            let report = try BenchFiles.read(from)
            if !files.writesToOutput { StandardOutput.write(lines: BenchText.machine(report)) }
            return report
        }
        let setup = try await BenchSetup.open(models, bench)
        var report = try await setup.measureMachine(bench)
        // The limits stand there before the long part begins.
        if !files.writesToOutput { StandardOutput.write(lines: BenchText.machine(report)) }
        try await setup.measureModels(bench, program, into: &report)
        return report
    }
}
