import Foundation
import Synchronization
import Threads

/// A trace on its way to a file: whoever notes an event puts it into a bounded list and goes on; a thread of its own writes a
/// few times a second.
package final class TraceFile: Sendable {
    /// Nothing more is written to a file that is as long.
    package static let bytesMax = 256 << 20

    private let waiting = WaitingEvents()
    private let thread: OwnedThread

    /// Makes the file, or empties the one that is there.
    ///
    /// - Parameter ended: called at most once, on the thread, with one line that says why no more is written.
    package init(
        path: String, bytesMax: Int = TraceFile.bytesMax, ended: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(CoordinatorError) {
        let document = try TraceDocument(path: path, bytesMax: bytesMax)
        let waiting = waiting
        thread = OwnedThread(name: "trace") {
            var formatter = TraceEvents()
            while true {
                let (events, isStopping) = waiting.take()
                do throws(TraceDocument.End) {
                    try document.append(events.flatMap { formatter.objects($0) })
                } catch {
                    waiting.close()
                    ended("\(path): the trace ends here: \(error.reason)")
                    return
                }
                if isStopping { return }
                usleep(WaitingEvents.interval)
            }
        }
    }

    func note(_ event: TraceEvents.Event) { waiting.add(event) }

    /// Writes what waits. Not on the cooperative pool.
    package func stopAndJoin() {
        waiting.stop()
        thread.join()
    }
}

/// Events between those who note them and the thread that writes them.
private final class WaitingEvents: Sendable {
    /// Between two looks of the thread, in microseconds.
    static let interval: UInt32 = 200_000
    /// More are counted and lost.
    private static let countMax = 1 << 16

    private struct State {
        var events: [TraceEvents.Event] = []
        var lostCount = 0
        var isStopping = false
        var isClosed = false
    }

    private let state = Mutex(State())

    func add(_ event: TraceEvents.Event) {
        state.withLock { state in
            guard !state.isClosed else { return }
            guard state.events.count < Self.countMax else {
                state.lostCount += 1
                return
            }
            state.events.append(event)
        }
    }

    func take() -> (events: [TraceEvents.Event], isStopping: Bool) {
        state.withLock { state in
            defer { (state.events, state.lostCount) = ([], 0) }
            return (state.events + (state.lostCount > 0 ? [.lost(state.lostCount)] : []), state.isStopping)
        }
    }

    func stop() { state.withLock { $0.isStopping = true } }

    /// Nothing more is taken in.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.events = []
        }
    }
}
