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
            name: options.name, vocabularySize: facts.vocabularySize, contextLength: facts.limits.contextLength)
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
        try queue.put(.start(id, request, continuation))
        return stream
    }

    /// Ends all streams with an error and the thread; later requests are refused.
    package func stop() { try? queue.put(.stop) }

    struct Loaded: Sendable {
        var vocabularySize: Int
        var limits: LocalSchedule.Limits
    }
}
