import Synchronization

/// Work that goes on beside its caller's, on a thread of its own, and is waited for in the end.
package final class BackgroundWork<Value: Sendable, Failure: Error>: Sendable {
    private final class Shared: Sendable {
        let result = Mutex<Result<Value, Failure>?>(nil)
        let isCancelled = Atomic(false)
    }

    private let shared = Shared()
    private let thread: OwnedThread

    /// Begins at once.
    ///
    /// - Parameter body: looks at its argument now and then, whether somebody still waits for it.
    package init(
        name: String, _ body: @escaping @Sendable (_ isCancelled: () -> Bool) throws(Failure) -> Value
    ) {
        thread = OwnedThread(name: name) { [shared] in
            let result = Result { () throws(Failure) in
                try body { shared.isCancelled.load(ordering: .relaxed) }
            }
            shared.result.withLock { $0 = result }
        }
    }

    /// Asks it to end soon; what it comes to nobody wants to know any more.
    package func cancel() { shared.isCancelled.store(true, ordering: .relaxed) }

    /// Not on the cooperative pool.
    package func wait() throws(Failure) -> Value {
        thread.join()
        guard let result = shared.result.withLock({ $0 }) else { preconditionFailure("its thread has ended") }
        return try result.get()
    }

    deinit { cancel() }
}
