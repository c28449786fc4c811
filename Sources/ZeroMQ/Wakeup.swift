import CZeroMQ
import Glibc

/// Ends another thread's wait in a `SocketLoop`.
package final class Wakeup: Sendable {
    let descriptor: Int32

    package init() throws(ZeroMQError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw .last("eventfd") }
    }

    /// Any thread; signals that were not seen yet count as one.
    package func signal() {
        var one: UInt64 = 1
        while write(descriptor, &one, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }

    /// Forgets signals; the loop's thread, before it looks at what they announce.
    func reset() {
        var count: UInt64 = 0
        while read(descriptor, &count, MemoryLayout<UInt64>.size) < 0 && errno == EINTR {}
    }

    deinit { close(descriptor) }
}
