import CLinux
import Glibc
import Synchronization

/// A thread of our own, for work that blocks or must not share the concurrency runtime.
///
/// Signals that ask the program to end are left to other threads.
package final class OwnedThread: Sendable {
    private let thread: pthread_t
    private let joined = Mutex(false)
    private let owner = getpid()

    /// - Parameter name: at most 15 bytes are shown by the system.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        precondition(code == 0, "no thread: \(String(cString: strerror(code)))")
        self.thread = thread
    }

    /// Waits until the body has returned. Not on the cooperative pool, not from the thread itself.
    package func join() {
        joined.withLock { joined in
            guard !joined else { return }
            pthread_join(thread, nil)
            joined = true
        }
    }

    /// Waits like ``join()``, but not longer than this; false when the body still runs.
    package func join(within limit: Duration) -> Bool {
        joined.withLock { joined in
            guard !joined else { return true }
            let (seconds, attoseconds) = limit.components
            joined = shard_thread_join_within(thread, seconds * 1_000_000_000 + attoseconds / 1_000_000_000) == 0
            return joined
        }
    }

    deinit {
        // Whoever does not join lets it run out on its own. A forked child does not have it.
        if getpid() == owner, !joined.withLock({ $0 }) { pthread_detach(thread) }
    }
}

private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        var signals = sigset_t()
        sigfillset(&signals)
        for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] { sigdelset(&signals, fault) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        shard_thread_set_name(name)
        body()
    }
}
