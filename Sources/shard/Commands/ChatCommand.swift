import ArgumentParser
import Foundation
import ShardKit
import Sharding
import Terminal
import Tokenizers

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk with a model in its chat format.",
        discussion: """
            On a terminal: /help lists what else can be typed; Ctrl-C stops an answer, Ctrl-D leaves.

            Examples:
              shard chat model.gguf
              shard chat model.gguf --system "Answer in one sentence." -p "What is 12 plus 7?"
              shard chat shards/ --chat-template chatml --temperature 0.7 --seed 1
            """)

    @OptionGroup var model: ModelOptions
    @OptionGroup var generation: GenerationOptions
    @OptionGroup var program: ProgramOptions

    @Option(name: .shortAndLong, help: "One question: it is answered, and the program ends.")
    var prompt: String?

    @Option(help: "What the model is told before the conversation.")
    var system: String?

    @Option(help: "Name of a built-in chat template, or a file with one; by default the model's own.")
    var chatTemplate: String?

    func validate() throws {
        if generation.json, prompt == nil { throw ValidationError("--json: needs a question, given with --prompt") }
    }

    func run() async throws {
        program.startLogging()
        let opened = try await model.open()
        let tokenizer = try opened.tokenizer()
        let template = try opened.chatTemplate(chatTemplate)
        let session = try await GenerationSession.start(
            model, generation, program, needsTokenizer: true)
        do {
            var conversation = Conversation(system: system, template: template, tokenizer: tokenizer)
            if let prompt {
                try await ask(prompt, &conversation, session)
            } else {
                try await talk(&conversation, session)
            }
        } catch {
            await session.stop()
            throw error
        }
        await session.stop()
    }

    private func ask(
        _ question: String, _ conversation: inout Conversation, _ session: GenerationSession
    ) async throws {
        let ids = try conversation.prompt(asking: question)
        let streams = !generation.json
        let answer = try await session.answer(to: ids, isContinuation: false) { text in
            if streams { StandardOutput.write(raw: text) }
        }
        conversation.keep(question: question, answer: answer.text)
        guard streams else {
            return StandardOutput.write(try JSONText.line(AnswerReport(prompt: ids, answer, load: session.load)))
        }
        StandardOutput.write("")
        if !program.quiet { StandardError.write(answer.speedLine) }
    }

    /// Questions from a person, until Ctrl-D. An error of one question does not end the conversation.
    private func talk(_ conversation: inout Conversation, _ session: GenerationSession) async throws {
        let editor = ConversationInput()
        while true {
            switch await editor.next() {
            case .end: return
            case .interrupted: continue
            case .line(let line):
                let line = line.trimmingCharacters(in: .whitespaces)
                guard !line.isEmpty else { continue }
                do {
                    if line.hasPrefix("/") {
                        try obey(line, &conversation)
                    } else {
                        try await ask(line, &conversation, session)
                    }
                } catch let error as ProgramError {
                    StandardError.write(error.lines + ["/clear starts afresh"])
                } catch {
                    StandardError.write("\(error)")
                }
            }
        }
    }

    private func obey(_ line: String, _ conversation: inout Conversation) throws {
        let words = line.split(separator: " ", maxSplits: 1)
        switch words[0] {
        case "/help":
            StandardError.write([
                "/clear        forget the conversation",
                "/save FILE    write the conversation as JSON",
                "/help         this",
                "Ctrl-C        stop an answer",
                "Ctrl-D        leave",
            ])
        case "/clear": conversation.clear()
        case "/save":
            guard words.count == 2 else { return StandardError.write("/save: expected the name of a file") }
            try conversation.save(to: String(words[1]))
            StandardError.write("saved to \(words[1])")
        default:
            StandardError.write("\(words[0]): no such command; /help lists them")
        }
    }
}

/// Lines of a person, read on a thread of their own.
private final class ConversationInput: @unchecked Sendable {
    // Safe although not checked: `next` is called by one task, one call after the other.
    private let editor = LineEditor()

    func next() async -> LineEditor.Input {
        await OwnThread.run { _ in self.editor.read(prompt: "> ") }
    }
}
