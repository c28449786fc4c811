import Foundation

/// How files looked at one moment: another stamp means that one of them was changed, replaced, made or removed.
package struct FileStamp: Sendable, Hashable {
    private struct File: Sendable, Hashable {
        var device: UInt64
        var inode: UInt64
        var bytes: Int
        var seconds: Int
        var nanoseconds: Int
    }

    private let files: [File?]

    /// Asks the system; reads nothing.
    package init(_ paths: [String]) {
        files = paths.map { path in
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            return File(
                device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: Int(status.st_size),
                seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        }
    }
}
