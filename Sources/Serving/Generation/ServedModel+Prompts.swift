import Sharding
import Tokenizers

extension ServedModel {
    /// A conversation as the model's template words it, up to where the answer begins.
    func prompt(_ messages: [ChatRequest.Message], contextLength: Int) throws(ServingError) -> [TokenID] {
        let tokens = try tokens(.chat(messages, addsSpecial: false, addsGenerationPrompt: true), in: "messages")
        return try check(tokens, contextLength, isAnswered: true, "messages")
    }

    /// - Parameters:
    ///   - field: where the text stands in its request.
    ///   - isAnswered: whether an answer follows, for which the context must have room.
    func prompt(
        _ prompt: TextPrompt, contextLength: Int, isAnswered: Bool = true, in field: String
    ) throws(ServingError) -> [TokenID] {
        let tokens =
            switch prompt {
            case .tokens(let tokens): tokens
            case .text(let text): try tokens(.text(text, addsSpecial: true, parsesSpecial: true), in: field)
            }
        return try check(tokens, contextLength, isAnswered: isAnswered, field)
    }

    /// A template writes itself what the model wants in front: what it makes is encoded without.
    func tokens(_ subject: TokenizeRequest.Subject, in field: String) throws(ServingError) -> [TokenID] {
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
            throw ServingError(.invalidValue, field, "\(error)")
        }
        throw ServingError(
            .notYet, field, "the model has no chat template; use /v1/completions or give a template")
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
    private func check(
        _ tokens: [TokenID], _ contextLength: Int, isAnswered: Bool, _ field: String
    ) throws(ServingError) -> [TokenID] {
        guard !tokens.isEmpty else {
            throw .expected("at least one token", got: "an empty text", field)
        }
        guard tokens.count < contextLength || (tokens.count == contextLength && !isAnswered) else {
            throw ServingError(
                .contextLengthExceeded, field,
                "\(tokens.count) tokens, and the context holds \(contextLength)"
                    + "\(isAnswered ? ", the answer included" : ""); shorten it")
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
