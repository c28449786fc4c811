import Synchronization

/// Collects what a stream does, for whoever looks from another thread.
package final class StreamWatch: Sendable {
    /// More are of no use in a picture.
    private static let eventsMax = 4096

    package struct State: Sendable {
        package var readBytes = 0
        package var waited = Duration.zero
        /// The newest, in the order of their ends.
        package var events: [StreamEvent] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func note(_ event: StreamEvent) {
        state.withLock { state in
            switch event.kind {
            case .read: state.readBytes += event.byteCount
            case .wait: state.waited += event.end - event.start
            case .use: break
            }
            state.events.append(event)
            if state.events.count > 2 * Self.eventsMax { state.events.removeFirst(Self.eventsMax) }
        }
    }

    package var now: State { state.withLock { $0 } }
}
