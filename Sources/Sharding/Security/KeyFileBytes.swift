import Foundation

/// Reads a key file, whatever form it has, after its kind, size, owner and mode were found right on the open file.
package enum KeyFileBytes {
    package enum Kind: Sendable {
        /// For its owner only.
        case secret
        /// Everybody may read it, and strangers may not change it.
        case open
    }

    /// - Parameter hint: what to do where there is no such file.
    package static func read(
        _ path: String, as kind: Kind, bytesMax: Int = KeyFile.bytesMax, hint: String? = "make it with keygen"
    ) throws(KeyFileError) -> String {
        // Without O_NONBLOCK a pipe of that name would keep us waiting.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            throw KeyFileError(
                .system, place: path, expected: "a key file", got: String(cString: strerror(errno)),
                hint: errno == ENOENT ? hint : nil)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path) }
        try check(status, path, kind)
        guard status.st_size <= bytesMax else { throw tooLong(path, Int(status.st_size), bytesMax) }
        var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
        var count = 0
        while count < bytes.count {
            let added = bytes.withUnsafeMutableBytes { buffer in
                Foundation.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
            }
            if added < 0, errno == EINTR { continue }
            guard added >= 0 else { throw failure(path) }
            if added == 0 { break }
            count += added
        }
        guard count <= bytesMax else { throw tooLong(path, count, bytesMax) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    private static func check(_ status: stat, _ path: String, _ kind: Kind) throws(KeyFileError) {
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw KeyFileError(
                .refused, place: path, expected: "a regular file",
                got: status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "something else")
        }
        let user = geteuid()
        if kind == .secret, status.st_uid != user, status.st_uid != 0 {
            throw KeyFileError(
                .refused, place: path, field: "owner", expected: user == 0 ? "root" : "user \(user) or root",
                got: "user \(status.st_uid)", hint: "copy the file as the user that runs this program")
        }
        let mode = status.st_mode & 0o7777
        let (forbidden, expected): (mode_t, mode_t) = kind == .secret ? (0o077, 0o600) : (0o002, 0o644)
        guard mode & forbidden == 0 else {
            throw KeyFileError(
                .refused, place: path, field: "mode", expected: octal(expected), got: octal(mode),
                hint: "run chmod \(String(expected, radix: 8)) \(ShellText.quoted(path))")
        }
    }

    private static func octal(_ mode: mode_t) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func tooLong(_ path: String, _ count: Int, _ bytesMax: Int) -> KeyFileError {
        KeyFileError(
            .refused, place: path, expected: "a key file of at most \(bytesMax) bytes", got: "\(count) bytes")
    }

    private static func failure(_ path: String) -> KeyFileError {
        KeyFileError(.system, place: path, expected: "to read it", got: String(cString: strerror(errno)))
    }
}
