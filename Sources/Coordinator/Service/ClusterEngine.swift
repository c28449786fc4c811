import Sharding

/// A cluster as an engine: prompts in, tokens out.
package final class ClusterEngine: TokenEngine {
    package let model: EngineModel
    private let service: CoordinatorService

    package init(model: EngineModel, service: CoordinatorService) {
        self.model = model
        self.service = service
    }

    package var readiness: EngineReadiness {
        get async { await service.readiness }
    }

    package var snapshot: EngineSnapshot? {
        get async { await service.snapshot }
    }

    package func generate(_ request: TokenRequest) async throws(EngineError) -> TokenStream {
        // The bound is never reached: a sequence has no more events than positions, its begin and its end.
        let (stream, continuation) = TokenStream.makeStream(
            bufferingPolicy: .bufferingOldest(model.contextLength + 3))
        let id = try await service.start(request, continuation)
        continuation.onTermination = { [service] reason in
            if case .cancelled = reason { Task { await service.cancel(id) } }
        }
        return stream
    }

    package func embedding(of request: EmbeddingRequest) async throws(EngineError) -> Embedding {
        try await service.embedding(of: request)
    }

    /// The logits that follow each token: a diagnostic.
    ///
    /// - Parameters:
    ///   - chunk: rows of one step at most; the bits do not depend on it.
    ///   - body: called with `[rows, vocabularySize]` of the next rows, in order.
    package func logits(
        of tokens: [TokenID], chunk: Int, _ body: ([Float]) async throws -> Void
    ) async throws {
        guard chunk > 0 else { throw EngineError(.invalidRequest, "chunk: expected at least 1 row, got \(chunk)") }
        let id = try await service.openDiagnostic()
        do {
            for first in stride(from: 0, to: tokens.count, by: chunk) {
                let rows = Array(tokens[first..<min(first + chunk, tokens.count)])
                try await body(try await service.logits(rows, of: id))
            }
        } catch {
            await service.cancel(id)
            throw error
        }
        await service.cancel(id)
    }
}
