import Sharding

/// Who waits for what a sequence brings: a stream of tokens, or one embedding.
enum EngineListener: Sendable {
    case tokens(TokenStream.Continuation)
    case embedding(CheckedContinuation<Result<Embedding, EngineError>, Never>)

    func fail(_ error: EngineError) {
        switch self {
        case .tokens(let continuation): continuation.finish(throwing: error)
        case .embedding(let continuation): continuation.resume(returning: .failure(error))
        }
    }
}
