import Synchronization

/// A bounded queue of values towards one thread, which it wakes.
package final class Mailbox<Element: Sendable>: Sendable {
    /// Why a value was not taken.
    package enum Refusal: Error, Sendable, Hashable {
        case full
        case closed
    }

    private struct State: Sendable {
        var elements: [Element] = []
        var isClosed = false
    }

    package let capacity: Int
    private let wakeup: Wakeup
    private let state = Mutex(State())

    package init(capacity: Int, wakeup: Wakeup) {
        precondition(capacity > 0, "a mailbox holds at least one value")
        self.capacity = capacity
        self.wakeup = wakeup
    }

    /// Any thread; never waits.
    package func post(_ element: Element) throws(Refusal) {
        let refusal = state.withLock { state -> Refusal? in
            if state.isClosed { return .closed }
            if state.elements.count >= capacity { return .full }
            state.elements.append(element)
            return nil
        }
        if let refusal { throw refusal }
        wakeup.signal()
    }

    /// Everything that came, in order; the receiving thread.
    package func takeAll() -> [Element] {
        state.withLock { state in
            let elements = state.elements
            state.elements.removeAll()
            return elements
        }
    }

    /// Refuses further values; those inside can still be taken.
    package func close() {
        state.withLock { $0.isClosed = true }
        wakeup.signal()
    }

    package var isClosed: Bool { state.withLock { $0.isClosed } }
}
