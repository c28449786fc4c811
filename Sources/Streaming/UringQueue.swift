import CUring
import Glibc

/// Reads by the kernel itself (io_uring): no thread of ours waits for them.
final class UringQueue: ReadQueue {
    private var ring = io_uring()
    /// One that was never made has no descriptor to close: 0 is somebody else's.
    private var isMade = false

    /// nil where the kernel has no io_uring or a sandbox forbids it.
    ///
    /// - Parameter entryCount: reads that may be begun at once; a number that no kernel takes is for tests.
    init?(entryCount: UInt32 = UInt32(2 * ReadSettings.depthMax)) {
        guard io_uring_queue_init(entryCount, &ring, 0) == 0 else { return nil }
        isMade = true
        guard canRead() else { return nil }
    }

    deinit {
        if isMade { io_uring_queue_exit(&ring) }
    }

    /// Kernels before 5.6 have rings that cannot do plain reads.
    private func canRead() -> Bool {
        guard let probe = io_uring_get_probe_ring(&ring) else { return false }
        defer { io_uring_free_probe(probe) }
        return io_uring_opcode_supported(probe, Int32(IORING_OP_READ.rawValue)) != 0
    }

    func start(_ read: FileRead) {
        guard let entry = io_uring_get_sqe(&ring) else { preconditionFailure("the ring has room for all reads") }
        io_uring_prep_read(
            entry, read.descriptor, read.target, UInt32(clamping: read.byteCount), UInt64(read.offset))
        entry.pointee.user_data = read.id
        var status = io_uring_submit(&ring)
        while status == -EINTR || status == -EAGAIN || status == -EBUSY { status = io_uring_submit(&ring) }
        precondition(status >= 0, "io_uring: \(String(cString: strerror(-status)))")
    }

    func next() -> ReadEnd {
        var entry: UnsafeMutablePointer<io_uring_cqe>?
        var status = io_uring_wait_cqe(&ring, &entry)
        while status == -EINTR || status == -EAGAIN { status = io_uring_wait_cqe(&ring, &entry) }
        guard let entry, status == 0 else { preconditionFailure("io_uring: \(String(cString: strerror(-status)))") }
        return take(entry)
    }

    func nextEnded() -> ReadEnd? {
        var entry: UnsafeMutablePointer<io_uring_cqe>?
        guard io_uring_peek_cqe(&ring, &entry) == 0, let entry else { return nil }
        return take(entry)
    }

    private func take(_ entry: UnsafeMutablePointer<io_uring_cqe>) -> ReadEnd {
        let end = ReadEnd(id: entry.pointee.user_data, result: Int(entry.pointee.res))
        io_uring_cqe_seen(&ring, entry)
        return end
    }
}
