import ArgumentParser
import ModelFiles
import Terminal
import Tokenizers

struct TemplateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "template",
        abstract: "Render a conversation with a model's chat template.",
        discussion: """
            Reads a JSON object with the template's variables: messages, add_generation_prompt, tools, and others. The model
            gives bos_token and eos_token where the object does not. `now` (ISO 8601) is the time of strftime_now.

            Examples:
              echo '{"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": true}' | shard template model.gguf
              shard template model.gguf --template-file chat.jinja < conversation.json
            """)

    @Argument(help: "A model, a tokenizer.json, or a GGUF file with a vocabulary.")
    var model: String

    @Option(help: "A file with the template, instead of the model's own.")
    var templateFile: String?

    @OptionGroup var program: ProgramOptions

    func run() throws {
        let tokenizer = try Tokenizer.open(model)
        let template = try template(tokenizer)
        var input = InputLines()
        let value = try JSONValue(parsing: MappedFile(bytes: input.rest(), name: "stdin"))
        guard case .map(let given) = JinjaValue(value) else {
            throw ProgramError(.failedWhileRunning, "stdin: expected a JSON object, got \(value.summary)")
        }
        StandardOutput.write(raw: try render(template, given.adding(tokensOf: tokenizer), now: try now(value)))
    }

    private func render(_ template: ChatTemplate, _ variables: JinjaMap, now: TemplateTime) throws -> String {
        do {
            return try template.render(variables, now: now)
        } catch {
            guard error.code == .raised else { throw error }
            // What the template says, and nothing else.
            throw ProgramError(.failedWhileRunning, error.message)
        }
    }

    private func template(_ tokenizer: Tokenizer) throws -> ChatTemplate {
        if let templateFile {
            return try ChatTemplate(
                source: try MappedFile(path: templateFile).text(), name: templateFile.lastPathComponent)
        }
        guard let source = tokenizer.chatTemplate else {
            throw ProgramError(
                .configuration, "\(model): expected a chat template, got none; give one with --template-file")
        }
        return try ChatTemplate(source: source, name: model.lastPathComponent)
    }

    private func now(_ value: JSONValue) throws -> TemplateTime {
        guard let now = value["now"], !now.isNull else { return .current() }
        guard let text = now.stringValue, let time = TemplateTime(iso8601: text) else {
            throw ProgramError(.failedWhileRunning, "stdin: now: expected a time as ISO 8601, got \(now.summary)")
        }
        return time
    }
}
