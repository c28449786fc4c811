import CZeroMQ
import Glibc
import Synchronization

/// A libzmq context: its I/O thread and the sockets made in it.
///
/// Sockets keep their context alive; when the last of them is gone the context ends, after at most their `linger`.
/// In a forked child it does nothing: the I/O thread was not forked along.
package final class Context: Sendable {
    /// The first release without the known ways to crash a listener before authentication.
    static let versionRequired: (Int32, Int32, Int32) = (4, 3, 3)

    // libzmq allows a context to be used by any thread; the pointer never changes.
    nonisolated(unsafe) let handle: UnsafeMutableRawPointer
    private let owner = getpid()

    private struct AdmissionSlot {
        weak var current: Admission?
        var isTaken = false
    }

    // Weak, as an admission keeps its context alive.
    private let slot = Mutex(AdmissionSlot())

    /// - Throws: ``ZeroMQError`` where libzmq is older than 4.3.3 or has no resources left.
    package init(ioThreadCount: Int = 1) throws(ZeroMQError) {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        zmq_version(&major, &minor, &patch)
        guard (major, minor, patch) >= Self.versionRequired else {
            throw ZeroMQError(
                operation: "libzmq \(major).\(minor).\(patch)", errno: ENOTSUP, hint: "4.3.3 or newer is needed")
        }
        guard let handle = zmq_ctx_new() else { throw .last("context") }
        self.handle = handle
        if zmq_ctx_set(handle, ZMQ_IO_THREADS, Int32(clamping: ioThreadCount)) != 0 {
            throw .last("context: io threads")
        }
    }

    /// Who decides about the peers of secured sockets; nil where there is nobody, or nobody any more.
    var admission: Admission? { slot.withLock { $0.current } }

    /// - Throws: ``ZeroMQError`` where there is or was one: what it let in would be judged by another's lists.
    func reserveAdmission() throws(ZeroMQError) {
        let wasTaken = slot.withLock { slot in
            defer { slot.isTaken = true }
            return slot.isTaken
        }
        guard !wasTaken else {
            throw ZeroMQError(
                operation: "admission", errno: EEXIST, reason: "the context has one already, or had one",
                hint: "keep it for the context's life")
        }
    }

    func register(_ admission: Admission) { slot.withLock { $0.current = admission } }

    var isInOwnProcess: Bool { getpid() == owner }

    deinit {
        guard isInOwnProcess else { return }
        while zmq_ctx_term(handle) != 0 && zmq_errno() == EINTR {}
    }
}
