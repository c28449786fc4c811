import Synchronization

/// What runs now, so that a stopping server can end it with an error that says so.
final class GenerationRegister: Sendable {
    private struct State {
        var nextEntry: UInt64 = 0
        var running: [UInt64: @Sendable (ServingError) -> Void] = [:]
    }

    private let state = Mutex(State())

    func add(_ end: @escaping @Sendable (ServingError) -> Void) -> UInt64 {
        state.withLock { state in
            state.nextEntry += 1
            state.running[state.nextEntry] = end
            return state.nextEntry
        }
    }

    func remove(_ entry: UInt64) {
        state.withLock { _ = $0.running.removeValue(forKey: entry) }
    }

    var count: Int { state.withLock { $0.running.count } }

    func endAll(_ error: ServingError) {
        // Ending one calls `remove`, so not under the lock.
        let running = state.withLock { Array($0.running.values) }
        for end in running { end(error) }
    }
}
