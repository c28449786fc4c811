import Foundation

/// A JSON file with a list of events that is whole after every write, also when the process is killed: each write takes the
/// place of the end that stood there.
///
/// Safe to hand over although not checked: after its making one thread alone touches it.
final class TraceDocument: @unchecked Sendable {
    /// Why nothing more is written.
    struct End: Error { var reason: String }

    private static let opening = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
    private static let ending = "\n]}\n"

    private let descriptor: Int32
    private let bytesMax: Int
    /// Where the ending stands.
    private var endOffset = 0
    private var isEmpty = true

    /// Makes the file, or empties the one that is there.
    init(path: String, bytesMax: Int) throws(CoordinatorError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        self.bytesMax = bytesMax
        guard descriptor >= 0 else {
            throw CoordinatorError(.configuration, "--trace: \(path): cannot be written: \(Self.problem)")
        }
        do {
            try write(Self.opening)
        } catch {
            throw CoordinatorError(.configuration, "--trace: \(path): cannot be written: \(error.reason)")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static var problem: String { String(cString: strerror(errno)) }

    /// - Parameter objects: JSON values.
    func append(_ objects: [String]) throws(End) {
        guard !objects.isEmpty else { return }
        let text = (isEmpty ? "" : ",\n") + objects.joined(separator: ",\n")
        guard endOffset + text.utf8.count + Self.ending.utf8.count <= bytesMax else {
            throw End(reason: "it has come to \(bytesMax >> 20) MiB, its limit")
        }
        try write(text)
        isEmpty = false
    }

    /// The text and the ending, in place of the ending that is there.
    private func write(_ text: String) throws(End) {
        let bytes = Array((text + Self.ending).utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(endOffset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw restoringEnd(Self.problem) }
            done += count
        }
        endOffset += text.utf8.count
    }

    /// What was written of a text that did not fit is taken away again, so that the file stays whole.
    private func restoringEnd(_ problem: String) -> End {
        let ending = Array(Self.ending.utf8)
        _ = ending.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(endOffset)) }
        _ = ftruncate(descriptor, off_t(endOffset + ending.count))
        return End(reason: problem)
    }
}
