import Foundation

#if canImport(Glibc)
    import Glibc
#endif

extension EmittedFile {
    /// Writes files into a folder, which is made where it is missing. Nothing is written when one of them is there
    /// already, unless that is asked for.
    ///
    /// - Returns: their paths.
    package static func write(
        _ files: [EmittedFile], to folder: String, overwriting: Bool
    ) throws(CoordinatorError) -> [String] {
        let paths = files.map { (folder as NSString).appendingPathComponent($0.path) }
        if !overwriting, let path = paths.first(where: isThere) {
            throw CoordinatorError(
                .configuration, "\(path): expected no file of that name, got one; --force writes over it")
        }
        for (file, path) in zip(files, paths) { try file.write(to: path) }
        return paths
    }

    /// A link counts, wherever it leads.
    private static func isThere(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Whole or not at all: beside its place first, then moved there.
    private func write(to path: String) throws(CoordinatorError) {
        let folder = (path as NSString).deletingLastPathComponent
        do {
            if !folder.isEmpty {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
        } catch {
            throw CoordinatorError(
                .failed, "\(folder): expected a folder that can be made: \(error.localizedDescription)")
        }
        let mode: mode_t = isSecret ? 0o600 : 0o644
        let temporary = "\(path).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Self.failure(temporary, "to make it") }
        var isDone = false
        defer {
            close(descriptor)
            if !isDone { unlink(temporary) }
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(temporary, "to write it") }
            rest = rest.dropFirst(count)
        }
        guard rename(temporary, path) == 0 else { throw Self.failure(path, "to write it") }
        isDone = true
    }

    private static func failure(_ path: String, _ expected: String) -> CoordinatorError {
        CoordinatorError(.failed, "\(path): expected \(expected), got \(String(cString: strerror(errno)))")
    }
}
