import Sharding
import Tokenizers

extension ServedModel {
    /// A conversation as the model's template words it, up to where the answer begins.
    func prompt(_ messages: [ChatRequest.Message], contextLength: Int) throws(ServingError) -> [TokenID] {
        guard let template else {
            throw ServingError(
                .notYet, "messages", "the model has no chat template; use /v1/completions or give a template")
        }
        let tokens: [TokenID]
        do {
            let text = try template.render(messages.map(\.forTemplate), tokenizer: tokenizer)
            // The template writes what the model wants in front.
            tokens = try tokenizer.encode(text, addSpecial: false)
        } catch {
            throw ServingError(.invalidValue, "messages", "\(error)")
        }
        return try check(tokens, contextLength, "messages")
    }

    func prompt(_ prompt: CompletionRequest.Prompt, contextLength: Int) throws(ServingError) -> [TokenID] {
        switch prompt {
        case .tokens(let tokens): return try check(tokens, contextLength, "prompt")
        case .text(let text):
            let tokens: [TokenID]
            do {
                tokens = try tokenizer.encode(text)
            } catch {
                throw ServingError(.invalidValue, "prompt", "\(error)")
            }
            return try check(tokens, contextLength, "prompt")
        }
    }

    /// Refused here, before it takes a place in the engine's queue.
    private func check(_ tokens: [TokenID], _ contextLength: Int, _ field: String) throws(ServingError) -> [TokenID] {
        guard !tokens.isEmpty else {
            throw .expected("at least one token", got: "an empty text", field)
        }
        guard tokens.count < contextLength else {
            throw ServingError(
                .contextLengthExceeded, field,
                "\(tokens.count) tokens, and the context holds \(contextLength), the answer included; shorten it")
        }
        return tokens
    }
}

extension ChatRequest.Message {
    fileprivate var forTemplate: ChatMessage {
        ChatMessage(
            role: role, content: .string(content), fields: name.map { [("name", .string($0))] } ?? [])
    }
}
