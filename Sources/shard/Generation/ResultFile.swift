import Foundation
import Terminal

/// A file that appears under its name only when all of it is written.
final class ResultFile: Sendable {
    let path: String
    private let temporary: String
    private let handle: FileHandle

    init(path: String) throws {
        self.path = path
        temporary = "\(path).partial-\(getpid())"
        guard FileManager.default.createFile(atPath: temporary, contents: nil),
            let handle = FileHandle(forWritingAtPath: temporary)
        else {
            throw ProgramError(
                .failedWhileRunning, "\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
        self.handle = handle
    }

    /// Appends values as little-endian f32.
    func append(_ values: [Float]) throws {
        do {
            try handle.write(contentsOf: values.withUnsafeBytes { Data($0) })
        } catch {
            throw ProgramError(.failedWhileRunning, "\(path): cannot be written: \(error)")
        }
    }

    func commit() throws {
        try handle.close()
        guard rename(temporary, path) == 0 else {
            throw ProgramError(
                .failedWhileRunning, "\(path): cannot be replaced: \(String(cString: strerror(errno)))")
        }
    }

    func discard() {
        try? handle.close()
        unlink(temporary)
    }
}
