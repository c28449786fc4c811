import ArgumentParser
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

    @Flag(help: "Say what the memory budget goes to, and end: nothing is loaded.")
    var plan = false

    func validate() throws {
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

    private func showPlan() async throws {
        let opened = try await model.open()
        // As part of what the process holds.
        let tokenizer = try? opened.tokenizer()
        let setup = try await model.streamingSetup(
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
        let answer = try await session.answer(to: ids, isContinuation: tokens == nil) { text in
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
    }
}
