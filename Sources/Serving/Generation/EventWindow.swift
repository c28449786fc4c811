import Synchronization

/// Bounds what waits for a slow reader: who writes waits while that is more than ``bytesMax``.
final class EventWindow: Sendable {
    static let bytesMax = 256 << 10

    private struct State {
        var bytes = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var waiterCount = 0
    }

    private let state = Mutex(State())

    /// Written and not read yet.
    var bytes: Int { state.withLock(\.bytes) }

    /// Something was written; never waits.
    func put(_ bytes: Int) { state.withLock { $0.bytes += bytes } }

    /// Something was read.
    func take(_ bytes: Int) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.bytes -= bytes
            guard state.bytes <= Self.bytesMax, !state.waiters.isEmpty else { return [] }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when there is room; for a task that was cancelled, at once.
    func room() async {
        let number = state.withLock { state in
            state.waiterCount += 1
            return state.waiterCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.bytes <= Self.bytesMax || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}

/// What a generation says, in order. Reading makes room for more.
struct GenerationEvents: AsyncSequence, Sendable {
    let stream: AsyncStream<Generation.Event>
    let window: EventWindow

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: AsyncStream<Generation.Event>.AsyncIterator
        let window: EventWindow

        mutating func next() async -> Generation.Event? {
            guard let event = await base.next() else { return nil }
            if case .text(_, let piece) = event { window.take(piece.bytes) }
            return event
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: stream.makeAsyncIterator(), window: window) }
}

extension TextPiece {
    /// About what it takes in memory.
    var bytes: Int {
        let reported = tokens.reduce(0) { $0 + 1 + $1.top.count }
        return 64 + text.utf8.count + reported * Self.reportedBytes
    }

    /// A string and an array of bytes, mostly short ones.
    private static let reportedBytes = 96
}
