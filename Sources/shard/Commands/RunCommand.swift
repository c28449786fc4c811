import ArgumentParser
import Foundation
import Measuring
import Sharding
import Terminal

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Complete a text.",
        discussion: """
            The text goes to the model as it is, with the beginning token where the model wants one. For questions
            and answers in the model's chat format see: shard chat

            Examples:
              shard run model.gguf -p "Once upon a time"
              shard run shards/ -p "2 + 2 =" --max-tokens 8 --temperature 0
              shard run model.gguf --tokens 1,15043,3186 --json
              shard run big.gguf --mode memory-efficient --memory-budget 2GiB -p "Once upon a time"
              shard run big.gguf --mode memory-efficient --memory-budget 2GiB --plan
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var generation: GenerationOptions
    @OptionGroup var program: ProgramOptions

    @Option(name: .shortAndLong, help: "The text to complete.")
    var prompt: String?

    @Option(help: "Token ids to complete instead of a text, taken as they are: 1,2,3")
    var tokens: TokenList?

    @Option(
        help: ArgumentHelp(
            "Draw what disk and processor did in the last half second of the answer, in mode memory-efficient: an SVG file.",
            valueName: "file"))
    var timeline: String?

    @Flag(help: "Say what the memory budget goes to, and end: nothing is loaded.")
    var plan = false

    func validate() throws {
        if let timeline {
            guard model.mode == .memoryEfficient else {
                throw ValidationError("--timeline: expected --mode memory-efficient beside it")
            }
            guard timeline.hasSuffix(".svg") else {
                throw ValidationError("--timeline: expected a file whose name ends with .svg, got \(timeline)")
            }
        }
        if plan {
            guard model.mode == .memoryEfficient else {
                throw ValidationError("--plan: expected --mode memory-efficient beside it")
            }
            return
        }
        guard (prompt == nil) != (tokens == nil) else {
            throw ValidationError("expected either --prompt or --tokens, got \(prompt == nil ? "none" : "both")")
        }
    }

    func run() async throws {
        program.startLogging()
        if plan { return try await showPlan() }
        let session = try await GenerationSession.start(
            model, generation, program, needsTokenizer: tokens == nil)
        do {
            try await complete(session)
        } catch {
            await session.stop()
            throw error
        }
        await session.stop()
    }

    private func draw(_ session: GenerationSession, to path: String) throws {
        let title = "\(session.model.file.name): what disk and processor did"
        guard let drawing = StreamTimeline(session.streamEvents, window: Self.timelineWindow, title: title) else {
            throw ProgramError(
                .configuration,
                "--timeline: expected weights that are read from disk, all of them stay; lower the budget")
        }
        try BenchFiles.write(drawing.svg(), to: path)
    }

    private static let timelineWindow = Duration.milliseconds(500)

    private func showPlan() async throws {
        let opened = try await model.open()
        // As part of what the process holds.
        let tokenizer = try? opened.tokenizer()
        var options = model
        // Copies have the sizes of what they are made of: none need to be made for a plan.
        options.packedCache = nil
        let setup = try await options.streamingSetup(
            opened, cacheType: generation.kvType.element, contextLength: try generation.contextLength(for: opened),
            showsProgress: program.showsProgress)
        withExtendedLifetime(tokenizer) {}
        let report = StreamingPlanReport(setup, name: opened.file.name)
        if generation.json {
            StandardOutput.write(try JSONText.line(report))
        } else {
            StandardOutput.write(lines: report.lines)
        }
    }

    private func complete(_ session: GenerationSession) async throws {
        let ids = try tokens?.ids ?? session.tokenizer?.encode(prompt ?? "") ?? []
        let streams = !generation.json
        // Where text streams to the same terminal, the line would tear it.
        let showsStatus = program.showsProgress && (generation.json || isatty(STDOUT_FILENO) == 0)
        let answer = try await session.answer(
            to: ids, isContinuation: tokens == nil, showsStatus: showsStatus
        ) { text in
            if streams { StandardOutput.write(raw: text) }
        }
        if streams {
            StandardOutput.write("")
            if !program.quiet {
                StandardError.write(answer.speedLine)
                if let streaming = answer.streaming { StandardError.write(streaming.line) }
            }
        } else {
            StandardOutput.write(try JSONText.line(AnswerReport(prompt: ids, answer, load: session.load)))
        }
        if let timeline { try draw(session, to: timeline) }
    }
}
