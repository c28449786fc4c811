import Foundation

/// A file that was not there before, whole and on the disk; removed again unless it is kept.
struct NewFile: ~Copyable {
    private let path: String
    private var isKept = false

    private init(made path: String) { self.path = path }

    /// - Parameter mode: the file's permissions, whatever the process's mask.
    static func write(_ text: String, to path: String, mode: mode_t) throws(KeyFileError) -> NewFile {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            guard errno != EEXIST else {
                throw KeyFileError(
                    .exists, place: path, expected: "no file of that name", got: "one",
                    hint: "keys are never overwritten: move it away, or name another folder")
            }
            throw failure(path, "to make it")
        }
        let file = NewFile(made: path)
        defer { close(descriptor) }
        guard fchmod(descriptor, mode) == 0 else { throw failure(path, "to set its mode") }
        try write(Array(text.utf8), to: descriptor, path)
        guard fsync(descriptor) == 0 else { throw failure(path, "to bring it to the disk") }
        return file
    }

    consuming func keep() { isKept = true }

    deinit {
        if !isKept { unlink(path) }
    }

    /// Makes the folders that are missing on the way to a file, for their owner only.
    static func makeFolder(of path: String) throws(KeyFileError) {
        let folder = folder(of: path)
        guard mkdir(folder, 0o700) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, folder != "/", folder != "." else { throw failure(folder, "to make the folder") }
        try makeFolder(of: folder)
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw failure(folder, "to make the folder") }
    }

    static func syncFolder(of path: String) throws(KeyFileError) {
        let folder = folder(of: path)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder, "to open the folder") }
        defer { close(descriptor) }
        // Some file systems cannot sync folders.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
            throw failure(folder, "to bring the folder to the disk")
        }
    }

    private static func folder(of path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(KeyFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path, "to write it") }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ path: String, _ expected: String) -> KeyFileError {
        KeyFileError(.system, place: path, expected: expected, got: String(cString: strerror(errno)))
    }
}
