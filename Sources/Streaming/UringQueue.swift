import CUring
import Glibc

/// Reads by the kernel itself (io_uring): no thread of ours waits for them.
final class UringQueue: ReadQueue {
    private let ring: OpaquePointer

    /// nil where the kernel has no io_uring or a sandbox forbids it.
    ///
    /// - Parameter entryCount: reads that may be begun at once; a number that no kernel takes is for tests.
    init?(entryCount: UInt32 = UInt32(2 * ReadSettings.depthMax)) {
        guard let ring = shard_uring_open(entryCount) else { return nil }
        self.ring = ring
    }

    deinit { shard_uring_close(ring) }

    func start(_ read: FileRead) {
        let status = shard_uring_read(
            ring, read.descriptor, read.target, UInt32(clamping: read.byteCount), UInt64(read.offset), read.id)
        precondition(status == 0, "io_uring: \(String(cString: strerror(status)))")
    }

    func next() -> ReadEnd {
        var end = shard_uring_end()
        let status = shard_uring_next(ring, true, &end)
        precondition(status == 0, "io_uring: \(String(cString: strerror(status)))")
        return ReadEnd(end)
    }

    func nextEnded() -> ReadEnd? {
        var end = shard_uring_end()
        return shard_uring_next(ring, false, &end) == 0 ? ReadEnd(end) : nil
    }
}

extension ReadEnd {
    fileprivate init(_ end: shard_uring_end) {
        self.init(id: end.id, result: Int(end.result))
    }
}
