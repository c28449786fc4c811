import Sharding
import Tokenizers

extension ServedModel {
    /// A conversation as the model's template words it, up to where the answer begins.
    func prompt(_ messages: [ChatRequest.Message], contextLength: Int) throws(ServingError) -> [TokenID] {
        let tokens = try tokens(.chat(messages, addsSpecial: false, addsGenerationPrompt: true))
        return try check(tokens, contextLength, "messages")
    }

    func prompt(_ prompt: CompletionRequest.Prompt, contextLength: Int) throws(ServingError) -> [TokenID] {
        switch prompt {
        case .tokens(let tokens): try check(tokens, contextLength, "prompt")
        case .text(let text):
            try check(
                try tokens(.text(text, addsSpecial: true, parsesSpecial: true)), contextLength, "prompt")
        }
    }

    /// A template writes itself what the model wants in front: what it makes is encoded without.
    func tokens(_ subject: TokenizeRequest.Subject) throws(ServingError) -> [TokenID] {
        do throws(TokenizerError) {
            switch subject {
            case .text(let text, let addsSpecial, let parsesSpecial):
                return try tokenizer.encode(text, addSpecial: addsSpecial, parseSpecial: parsesSpecial)
            case .chat(let messages, let addsSpecial, let addsGenerationPrompt):
                guard let template else { break }
                let text = try template.render(
                    messages.map(\.forTemplate), tokenizer: tokenizer, addGenerationPrompt: addsGenerationPrompt)
                return try tokenizer.encode(text, addSpecial: addsSpecial)
            }
        } catch {
            throw ServingError(.invalidValue, subject.field, "\(error)")
        }
        throw ServingError(
            .notYet, "messages", "the model has no chat template; use /v1/completions or give a template")
    }

    /// The text of tokens that are below the vocabulary's size, special ones as they are spelt.
    func text(_ tokens: [TokenID]) throws(ServingError) -> String {
        do {
            return try tokenizer.decode(tokens)
        } catch {
            throw ServingError(.invalidValue, "tokens", "\(error)")
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

extension TokenizeRequest.Subject {
    /// What an error is about.
    fileprivate var field: String {
        switch self {
        case .text: "prompt"
        case .chat: "messages"
        }
    }
}

extension ChatRequest.Message {
    fileprivate var forTemplate: ChatMessage {
        ChatMessage(
            role: role, content: .string(content), fields: name.map { [("name", .string($0))] } ?? [])
    }
}
