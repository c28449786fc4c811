import Foundation
import Terminal

/// A file that appears under its name only when all of it is written; a pipe or a device is written as it goes.
final class ResultFile: Sendable {
    let path: String
    /// What is renamed at the end, and to what; nil where there is no regular file to replace.
    private let replacement: (temporary: String, target: String)?
    private let handle: FileHandle

    init(path: String) throws {
        self.path = path
        // A link stays a link: what it leads to is replaced.
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        var status = stat()
        let isOther = stat(target, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
        replacement = isOther ? nil : ("\(target).partial-\(getpid())", target)
        let descriptor = open(replacement?.temporary ?? path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ProgramError(
                .failedWhileRunning, "\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Appends values as little-endian f32.
    func append(_ values: [Float]) throws { try append(values.withUnsafeBytes { Data($0) }) }

    func append(_ text: String) throws { try append(Data(text.utf8)) }

    private func append(_ bytes: Data) throws {
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            throw ProgramError(.failedWhileRunning, "\(path): cannot be written: \(error)")
        }
    }

    func commit() throws {
        try handle.close()
        guard let replacement else { return }
        guard rename(replacement.temporary, replacement.target) == 0 else {
            throw ProgramError(
                .failedWhileRunning, "\(path): cannot be replaced: \(String(cString: strerror(errno)))")
        }
    }

    func discard() {
        try? handle.close()
        if let replacement { unlink(replacement.temporary) }
    }
}
