import Glibc
import Sharding

/// What callers ask of the engine's thread, in order.
enum EngineCommand: Sendable {
    case start(SequenceID, TokenRequest, TokenStream.Continuation)
    case cancel(SequenceID)
    case perform(EngineJob)
    case stop
}

/// Something to do with the chain when no sequence runs; gets nil when the engine stops before.
typealias EngineJob = @Sendable (ShardChain?) -> Void

/// Hands commands to the engine's thread, which sleeps on it when it has nothing to do.
///
/// Safe although not checked: `commands` is touched only under `mutex`. Bounded: each request adds one start and at
/// most one cancel, and starts beyond `startsMax` are refused.
final class EngineQueue: @unchecked Sendable {
    private let startsMax: Int
    private var commands: [EngineCommand] = []
    private var startCount = 0
    private var isClosed = false
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(startsMax: Int) {
        self.startsMax = startsMax
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(arrived, nil)
    }

    deinit {
        pthread_cond_destroy(arrived)
        pthread_mutex_destroy(mutex)
        arrived.deallocate()
        mutex.deallocate()
    }

    /// Queues a command; says why not where it cannot.
    func put(_ command: EngineCommand) throws(EngineError) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        if isClosed { throw EngineError(.unavailable, "the engine has stopped") }
        if case .start = command {
            guard startCount < startsMax else {
                throw EngineError(.overloaded, "\(startsMax) requests wait already; try again later")
            }
            startCount += 1
        }
        if case .stop = command { isClosed = true }
        commands.append(command)
        pthread_cond_signal(arrived)
    }

    /// All commands that have arrived; waits for one when asked to.
    func take(waiting: Bool) -> [EngineCommand] {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while waiting, commands.isEmpty { pthread_cond_wait(arrived, mutex) }
        defer {
            commands.removeAll()
            startCount = 0
        }
        return commands
    }
}
