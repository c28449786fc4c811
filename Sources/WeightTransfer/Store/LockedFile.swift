import Foundation

/// An open file of the store, and the lock that this handle holds on it (flock: between processes, and between handles
/// of one process). Closing gives the lock up, as does the end of the process, however it ends.
final class LockedFile: Sendable {
    enum Lock: Sendable {
        /// Held by everybody who uses the bytes.
        case shared
        /// Held by whoever writes or removes the file.
        case exclusive
    }

    let path: String
    let descriptor: Int32

    /// Opens the file for reading; nil when there is none.
    init?(reading path: String) throws(WeightTransferError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            guard errno == ENOENT else { throw Self.failure(path, "to open it") }
            return nil
        }
    }

    /// Opens the file for writing, and makes it where there is none.
    init(writing path: String) throws(WeightTransferError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path, "to open it for writing") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Takes a lock in place of the one that is held; false when another handle's lock is in the way.
    ///
    /// - Parameter isWaiting: Waits for the other handle. Shared locks are waited for, never exclusive ones: users hold
    ///   theirs for hours.
    func lock(_ lock: Lock, isWaiting: Bool = false) -> Bool {
        let operation = (lock == .shared ? LOCK_SH : LOCK_EX) | (isWaiting ? 0 : LOCK_NB)
        while flock(descriptor, operation) != 0 {
            guard errno == EINTR else { return false }
        }
        return true
    }

    /// Writes all bytes at a place.
    ///
    /// - Parameter lacking: what to throw where the disk has no room for all, given how many were written.
    func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int, lacking: (_ written: Int) -> WeightTransferError
    ) throws(WeightTransferError) {
        var written = 0
        while written < bytes.count, let start = bytes.baseAddress {
            let count = pwrite(descriptor, start + written, bytes.count - written, off_t(offset + written))
            if count < 0 {
                if errno == EINTR { continue }
                guard errno == ENOSPC || errno == EDQUOT else { throw Self.failure(path, "to write it") }
                throw lacking(written)
            }
            written += count
        }
    }

    /// Gives the lock up and keeps the file open.
    func unlock() { flock(descriptor, LOCK_UN) }

    func status() throws(WeightTransferError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, "its size") }
        return status
    }

    /// Whether the path still leads to this file: it may have been removed before the lock was there.
    var isInPlace: Bool {
        var (own, named) = (stat(), stat())
        return fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino
            && own.st_dev == named.st_dev
    }

    static func failure(_ path: String, _ expected: String, _ code: Int32 = errno) -> WeightTransferError {
        WeightTransferError(
            .system, place: path, expected: expected, got: String(cString: strerror(code)),
            hint: code == EMFILE ? "raise the limit of open files (ulimit -n)" : nil)
    }
}
