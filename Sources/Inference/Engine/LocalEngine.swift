import Glibc
import Models
import Sharding

/// A model that runs in this process, on a thread of its own, for several requests at once.
package final class LocalEngine: TokenEngine {
    package struct Options: Sendable {
        /// As clients name the model.
        package var name: String
        /// Requests that compute at once; the cache of the chain must hold them.
        package var sequencesMax: Int
        /// Requests that wait.
        package var queueMax: Int

        package init(name: String, sequencesMax: Int = 8, queueMax: Int = 256) {
            self.name = name
            self.sequencesMax = sequencesMax
            self.queueMax = queueMax
        }
    }

    package let model: EngineModel
    private let queue: EngineQueue
    private let limits: LocalSchedule.Limits
    private let nextID = SequenceCounter()

    /// Starts the thread and loads the model on it.
    ///
    /// - Parameter load: makes the device and the chain; called once, on the engine's thread.
    /// - Throws: what `load` throws.
    package init(
        _ options: Options, load: @escaping @Sendable () throws(InferenceError) -> ShardChain
    ) async throws(InferenceError) {
        let queue = EngineQueue(startsMax: options.queueMax)
        let loaded: Result<Loaded, InferenceError> = await withCheckedContinuation { continuation in
            let thread = EngineThread(queue: queue, options: options, load: load) { continuation.resume(returning: $0) }
            if let error = thread.start() { continuation.resume(returning: .failure(error)) }
        }
        let facts = try loaded.get()
        self.queue = queue
        limits = facts.limits
        model = EngineModel(
            name: options.name, vocabularySize: facts.vocabularySize, contextLength: facts.limits.contextLength,
            hiddenSize: facts.hiddenSize)
    }

    deinit { try? queue.put(.stop) }

    package var readiness: EngineReadiness {
        get async { .ready }
    }

    package func generate(_ request: TokenRequest) async throws(EngineError) -> TokenStream {
        try LocalSchedule.check(request, limits: limits, vocabularySize: model.vocabularySize)
        let id = nextID.next()
        // The bound is never reached: a sequence has no more events than positions, and its end.
        let (stream, continuation) = TokenStream.makeStream(
            bufferingPolicy: .bufferingOldest(limits.contextLength + 1))
        // Holding the engine here keeps it for as long as one of its streams runs.
        continuation.onTermination = { [self] reason in
            if case .cancelled = reason { try? queue.put(.cancel(id)) }
        }
        try queue.put(.start(id, .generate(request), .tokens(continuation)))
        return stream
    }

    package func embedding(of request: EmbeddingRequest) async throws(EngineError) -> Embedding {
        try LocalSchedule.check(request, limits: limits, vocabularySize: model.vocabularySize)
        let id = nextID.next()
        let result: Result<Embedding, EngineError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(EngineError) {
                    try queue.put(.start(id, .embed(request), .embedding(continuation)))
                } catch {
                    continuation.resume(returning: .failure(error))
                    return
                }
                // One that came before the request was in the queue found nothing to end.
                if Task.isCancelled { try? queue.put(.cancel(id)) }
            }
        } onCancel: {
            try? queue.put(.cancel(id))
        }
        return try result.get()
    }

    /// Does something with the chain on the engine's thread: a diagnostic, or loading and unloading of shards.
    ///
    /// It waits until no sequence runs, and may leave none in the chain's state.
    package func perform<Value: Sendable>(
        _ work: @escaping @Sendable (ShardChain) throws(InferenceError) -> Value
    ) async throws(InferenceError) -> Value {
        let stopped = InferenceError(.device, place: "engine", "expected it to run, it has stopped")
        let result: Result<Value, InferenceError> = await withCheckedContinuation { continuation in
            let job: EngineJob = { chain in
                guard let chain else { return continuation.resume(returning: .failure(stopped)) }
                do throws(InferenceError) {
                    continuation.resume(returning: .success(try work(chain)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            do {
                try queue.put(.perform(job))
            } catch {
                continuation.resume(returning: .failure(stopped))
            }
        }
        return try result.get()
    }

    /// Ends all streams with an error and the thread; later requests are refused.
    package func stop() { try? queue.put(.stop) }

    struct Loaded: Sendable {
        var vocabularySize: Int
        var hiddenSize: Int
        var limits: LocalSchedule.Limits
    }
}
