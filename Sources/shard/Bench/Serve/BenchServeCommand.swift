import ArgumentParser
import Devices
import Foundation
import LoadTesting
import Measuring
import Terminal

/// `shard bench serve`: puts a load on a server with OpenAI's interface.
struct BenchServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Put a load on a server with OpenAI's interface, and measure how it fares.",
        discussion: """
            Answers are streamed. Times are taken when bytes come: to the first token, \
            between tokens, to the end. A stream counts as done only with its [DONE].

            Examples:
              shard bench serve http://127.0.0.1:8080 --streams 8 --requests 64
              shard bench serve http://127.0.0.1:8080 --rate 5 --duration 60s --prompt-tokens 64..512
              shard bench serve http://127.0.0.1:8080 --streams 64 --duration 10m --compare-texts

            Exit codes: 1 when a request failed (other than by 429 or 503) or a text differs.
            """)

    @Argument(help: ArgumentHelp("Where the server answers.", valueName: "url"))
    var url: String

    @OptionGroup(title: "Load") var load: ServeLoadOptions
    @OptionGroup(title: "Requests") var request: ServeRequestOptions
    @OptionGroup(title: "Files") var files: ServeFileOptions
    @OptionGroup var program: ProgramOptions

    func validate() throws {
        if load.compareTexts, request.temperature > 0 {
            throw ValidationError(
                "--compare-texts: expected --temperature 0, got \(request.temperature): texts drawn at random differ")
        }
    }

    func run() async throws {
        program.startLogging()
        try BenchFiles.checkWritable([files.json, files.csv, files.plot])
        let report: LoadReport
        do {
            report = try await ServeRun(url: url, load, request, program).report()
        } catch let error as LoadFailure {
            throw ProgramError(
                error.kind == .malformed ? .configuration : .failedWhileRunning, Program.singleLine(error.detail))
        }
        if !files.writesToOutput { StandardOutput.write(lines: ServeText.lines(report)) }
        try BenchFiles.write(try report.json() + "\n", to: files.json)
        try BenchFiles.write(report.csv(), to: files.csv)
        try BenchFiles.write(LoadPlot(report).svg(), to: files.plot)
        if !report.isSound { throw ProgramError(.failedWhileRunning, ServeText.verdict(report)) }
    }
}

/// Where results go beside the table.
struct ServeFileOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write everything as JSON; - is stdout, instead of the table.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a line for each result; - is stdout, instead of the table.", valueName: "file"))
    var csv: String?

    @Option(help: ArgumentHelp("Draw times by percentile, and tokens in each second: an SVG file.", valueName: "file"))
    var plot: String?

    /// Whether stdout is for a program.
    var writesToOutput: Bool { json == "-" || csv == "-" }

    func validate() throws {
        if json == "-", csv == "-" { throw ValidationError("--json, --csv: expected one on stdout, got both") }
        if let plot, !plot.hasSuffix(".svg") {
            throw ValidationError("--plot: expected a file whose name ends with .svg, got \(plot)")
        }
    }
}
