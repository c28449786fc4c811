import Sharding
import Tokenizers

/// The text that follows a prompt, piece by piece as it is generated.
///
/// Pieces are whole characters; all of them together are the answer. Each iteration generates anew; leaving the loop
/// early ends the generation.
public struct GeneratedText: AsyncSequence, Sendable {
    public typealias Element = String
    public typealias Failure = ShardKitError

    let core: RunnerCore
    let prompt: String
    let options: GenerationOptions

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate enum State {
            case ready(GeneratedText)
            case running(TokenStream.AsyncIterator, AnswerText, endTokens: Set<TokenID>)
            case done
        }

        private var state: State

        init(_ text: GeneratedText) { state = .ready(text) }

        public mutating func next() async throws(ShardKitError) -> String? {
            try await next(isolation: nil)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ShardKitError) -> String? {
            if case .ready(let text) = state { state = try await text.start() }
            guard case .running(var tokens, var answer, let endTokens) = state else { return nil }
            state = .done
            while true {
                let event: TokenEvent?
                do {
                    event = try await tokens.next(isolation: actor)
                } catch {
                    throw ShardKitError(error)
                }
                switch event {
                case .begun: continue
                case .token(let accepted) where endTokens.contains(accepted.token): continue
                case .token(let accepted):
                    let piece = answer.append(accepted.token)
                    if !piece.isStopped { state = .running(tokens, answer, endTokens: endTokens) }
                    if !piece.text.isEmpty { return piece.text }
                    if piece.isStopped { return nil }
                case .finished, nil:
                    let rest = answer.finish()
                    return rest.isEmpty ? nil : rest
                }
            }
        }
    }

    fileprivate func start() async throws(ShardKitError) -> AsyncIterator.State {
        let tokenizer = try core.requireTokenizer()
        let endTokens = options.ignoresEnd ? [] : core.model.endTokens(tokenizer)
        do {
            let request = TokenRequest(
                prompt: try tokenizer.encode(prompt), sampling: try options.sampling(core.model.sampling),
                maxTokens: options.maxTokens, endTokens: endTokens)
            return .running(
                try await core.engine.generate(request).makeAsyncIterator(),
                AnswerText(
                    tokenizer.detokenizer(skipSpecial: true, isContinuation: true), stops: options.stops),
                endTokens: endTokens)
        } catch {
            throw ShardKitError(error)
        }
    }
}
