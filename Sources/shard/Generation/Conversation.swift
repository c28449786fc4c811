import Foundation
import ShardKit
import Sharding
import Terminal
import Tokenizers

/// What was said so far, and the prompt that it makes.
struct Conversation {
    private let system: String?
    private let template: ChatTemplate
    private let tokenizer: Tokenizer
    private var messages: [Message] = []

    private struct Message: Encodable {
        var role: String
        var content: String
    }

    init(system: String?, template: ChatTemplate, tokenizer: Tokenizer) {
        self.system = system
        self.template = template
        self.tokenizer = tokenizer
        clear()
    }

    /// Token ids of the conversation with one more question, up to where the answer begins.
    func prompt(asking question: String) throws -> [TokenID] {
        let all = messages + [Message(role: "user", content: question)]
        let text = try template.render(
            all.map { ChatMessage(role: $0.role, content: $0.content) }, tokenizer: tokenizer)
        return try tokenizer.encode(text, addSpecial: false)
    }

    mutating func keep(question: String, answer: String) {
        messages.append(Message(role: "user", content: question))
        messages.append(Message(role: "assistant", content: answer))
    }

    mutating func clear() {
        messages = system.map { [Message(role: "system", content: $0)] } ?? []
    }

    /// Writes the messages as OpenAI's `messages` array.
    func save(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try encoder.encode(messages).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw ProgramError(.failedWhileRunning, "\(path): cannot be written: \(error.localizedDescription)")
        }
    }
}
