import CLinux
import Glibc
import ModelFiles

/// A model's file, opened to be read piece by piece.
package final class PieceFile: Sendable {
    package let name: String
    package let byteCount: Int
    /// nil for bytes in memory, which do not change.
    private let identity: MappedFile.Identity?
    /// Whether a change of its state that is none of its bytes is fine: that somebody else used or renamed it.
    private let allowsStatusChanges: Bool
    /// Through the page cache.
    private let buffered: Int32
    /// Past it; nil where the file system cannot.
    private let direct: Int32?

    /// Opens the file that was mapped before, which must still be the same. Of one that only exists in memory, a copy.
    package init(_ file: MappedFile, allowsStatusChanges: Bool = false) throws(ModelFileError) {
        self.allowsStatusChanges = allowsStatusChanges
        name = file.name
        byteCount = file.byteCount
        identity = file.identity
        guard identity != nil else {
            buffered = shard_open_copy(file.bytes.baseAddress, file.byteCount)
            direct = nil
            guard buffered >= 0 else { throw Self.openError(file.name) }
            return
        }
        buffered = open(file.path, O_RDONLY | O_CLOEXEC)
        let descriptor = shard_open_direct(file.path)
        direct = descriptor >= 0 ? descriptor : nil
        guard buffered >= 0 else { throw Self.openError(file.path) }
        // What the kernel reads ahead by itself would lie in the page cache when nobody wants it.
        posix_fadvise(buffered, 0, 0, POSIX_FADV_RANDOM)
        try checkUnchanged()
    }

    private static func openError(_ name: String) -> ModelFileError {
        ModelFileError(
            .unreadable, file: name, field: "open", expected: "a readable file", got: String(cString: strerror(errno)))
    }

    deinit {
        close(buffered)
        if let direct { close(direct) }
    }

    package var isDirectPossible: Bool { direct != nil }

    func descriptor(for method: ReadSettings.Method) -> Int32 {
        method == .direct ? direct ?? buffered : buffered
    }

    /// Gives the pages of a range back that reading it has put into the page cache.
    func dropPages(_ range: Range<Int>) {
        posix_fadvise(buffered, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_DONTNEED)
    }

    /// Refuses a file that was cut or written to since it was first opened.
    package func checkUnchanged() throws(ModelFileError) {
        guard let identity else { return }
        guard var now = MappedFile.Identity(descriptor: buffered) else {
            throw ModelFileError(
                .unreadable, file: name, field: "fstat", expected: "the file's state",
                got: String(cString: strerror(errno)))
        }
        if allowsStatusChanges { now.changedNanoseconds = identity.changedNanoseconds }
        guard now != identity else { return }
        throw ModelFileError(
            now.byteCount < byteCount ? .truncated : .mismatch, file: name, field: "size and time of change",
            expected: "the file as it was opened, of \(byteCount) bytes",
            got: now.byteCount == byteCount ? "another state of it" : "\(now.byteCount) bytes",
            hint: "it was changed while in use; start again with the whole file")
    }

    /// Reads a few bytes at once, through the page cache, and leaves nothing there.
    package func read(_ range: Range<Int>, into target: UnsafeMutableRawPointer) throws(ModelFileError) {
        var done = 0
        while done < range.count {
            let count = pread(buffered, target + done, range.count - done, off_t(range.lowerBound + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw readError(at: range.lowerBound + done, errno: count < 0 ? errno : 0)
            }
            done += count
        }
        dropPages(ReadAlignment.down(range.lowerBound)..<ReadAlignment.up(range.upperBound))
        try checkUnchanged()
    }

    /// - Parameter errno: 0 for an end of the file where bytes were expected.
    func readError(at offset: Int, errno: Int32) -> ModelFileError {
        ModelFileError(
            errno == 0 ? .truncated : .unreadable, file: name, field: "read", offset: offset,
            expected: "\(byteCount) bytes in the file",
            got: errno == 0 ? "its end" : String(cString: strerror(errno)),
            hint: errno == 0 ? "it was cut while in use; start again with the whole file" : "check the disk")
    }
}
