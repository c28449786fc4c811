import Sharding
import Synchronization

/// The embeddings of one request while they are computed.
///
/// It runs from its making; ``cancellation`` ends it, and so does a server that stops.
final class EmbeddingWork: Sendable {
    private let task: Task<[Embedding], any Error>
    /// Why it was ended, where it was.
    private let reason = Mutex<ServingError?>(nil)

    init(_ requests: [EmbeddingRequest], engine: any TokenEngine) {
        task = Task {
            try await withThrowingTaskGroup(of: (Int, Embedding).self) { group in
                for (index, request) in requests.enumerated() {
                    group.addTask { (index, try await engine.embedding(of: request)) }
                }
                var embeddings = [Embedding?](repeating: nil, count: requests.count)
                // The first failure leaves the group, which cancels the others.
                for try await (index, embedding) in group { embeddings[index] = embedding }
                return embeddings.compactMap { $0 }
            }
        }
    }

    /// In the order of the requests.
    func embeddings(in register: GenerationRegister) async throws(ServingError) -> [Embedding] {
        let entry = register.add { self.end($0) }
        defer { register.remove(entry) }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                cancellation()
            }
        } catch {
            if let reason = reason.withLock({ $0 }) { throw reason }
            if let error = error as? EngineError { throw ServingError(error) }
            throw ServingError(.failed, nil, "\(error)")
        }
    }

    var cancellation: @Sendable () -> Void {
        { self.end(ServingError(.cancelled, nil, "the client has gone")) }
    }

    private func end(_ error: ServingError) {
        reason.withLock { $0 = $0 ?? error }
        task.cancel()
    }
}
