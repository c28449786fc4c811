import Sharding
import Threads

/// What callers ask of the engine's thread, in order.
enum EngineCommand: Sendable {
    case start(SequenceID, LocalSchedule.Request, EngineListener)
    case cancel(SequenceID)
    case perform(EngineJob)
    case stop
}

/// Something to do with the chain when no sequence runs; gets nil when the engine stops before.
typealias EngineJob = @Sendable (ShardChain?) -> Void

/// Hands commands to the engine's thread, which sleeps on it when it has nothing to do.
///
/// Bounded: each request adds one start and at most one cancel, and starts beyond `startsMax` are refused.
final class EngineQueue: Sendable {
    private struct State {
        var commands: [EngineCommand] = []
        var startCount = 0
        var isClosed = false

        mutating func takeAll() -> [EngineCommand] {
            defer {
                commands.removeAll()
                startCount = 0
            }
            return commands
        }
    }

    private let startsMax: Int
    private let state = Monitor(State())

    init(startsMax: Int) { self.startsMax = startsMax }

    /// Queues a command; says why not where it cannot.
    func put(_ command: EngineCommand) throws(EngineError) {
        try state.withLock { state throws(EngineError) in
            if state.isClosed { throw EngineError(.unavailable, "the engine has stopped") }
            if case .start = command {
                guard state.startCount < startsMax else {
                    throw EngineError(.overloaded, "\(startsMax) requests wait already; try again later")
                }
                state.startCount += 1
            }
            if case .stop = command { state.isClosed = true }
            state.commands.append(command)
        }
    }

    /// All commands that have arrived; waits for one when asked to.
    func take(waiting: Bool) -> [EngineCommand] {
        guard waiting else { return state.withLock { $0.takeAll() } }
        return state.wait { $0.commands.isEmpty ? nil : $0.takeAll() }
    }
}
