import Synchronization

/// Events from the sockets' thread to the service, in order, none dropped: a full queue asks the thread to read no more,
/// so that messages wait in libzmq's queues, and at last with their senders.
final class EventQueue: Sendable {
    /// Ends when the thread does; whoever reads an event says so by ``taken()``.
    let events: AsyncStream<SocketThread.Event>
    private let continuation: AsyncStream<SocketThread.Event>.Continuation
    private let waiting = Atomic<Int>(0)
    private let fullCount: Int

    /// - Parameter fullCount: events that wait from which on the queue is full; those of the turn that filled it are
    ///   still taken.
    init(fullCount: Int) {
        self.fullCount = fullCount
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    var isFull: Bool { waiting.load(ordering: .relaxed) >= fullCount }

    func yield(_ event: SocketThread.Event) {
        waiting.add(1, ordering: .relaxed)
        continuation.yield(event)
    }

    func taken() { waiting.subtract(1, ordering: .relaxed) }

    func finish() { continuation.finish() }
}
