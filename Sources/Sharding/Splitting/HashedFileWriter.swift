import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Writes a new file from front to back and hashes it on the way.
struct HashedFileWriter: ~Copyable {
    static let chunkBytes = 4 << 20

    private let path: String
    private let descriptor: Int32
    private var hasher = FileHasher()
    private(set) var byteCount = 0

    /// - Throws: ``ShardingError`` where a file of that name is there, or cannot be made.
    init(path: String) throws(ShardingError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw ShardingError(
                .system, place: path, expected: "to create the file", got: String(cString: strerror(errno)))
        }
    }

    deinit { close(descriptor) }

    /// Appends bytes in pieces, calling `progress` with the size of each after it was written.
    ///
    /// - Returns: The hash of these bytes alone.
    @discardableResult
    mutating func append(
        _ bytes: UnsafeRawBufferPointer, progress: (Int) throws(ShardingError) -> Void
    ) throws(ShardingError) -> FileHash {
        var own = FileHasher()
        var position = 0
        while position < bytes.count {
            let end = min(position + Self.chunkBytes, bytes.count)
            let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<end])
            try write(piece)
            hasher.update(piece)
            own.update(piece)
            try progress(piece.count)
            position = end
        }
        return own.finish()
    }

    /// Appends bytes that nobody asks the hash of.
    mutating func append(_ bytes: [UInt8]) throws(ShardingError) {
        // The standard library's closure throws any error, so this one's travels as a value.
        let failure = bytes.withUnsafeBytes { raw -> ShardingError? in
            do throws(ShardingError) {
                try write(raw)
                hasher.update(raw)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Brings everything to the disk.
    ///
    /// - Returns: The hash of the whole file.
    consuming func finish() throws(ShardingError) -> FileHash {
        guard fsync(descriptor) == 0 else { throw failure(errno, remaining: 0) }
        return hasher.finish()
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ShardingError) {
        var written = 0
        while written < bytes.count {
            let count = systemWrite(descriptor, bytes.baseAddress! + written, bytes.count - written)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno, remaining: bytes.count - written)
            }
            written += count
        }
        byteCount += bytes.count
    }

    private func failure(_ code: Int32, remaining: Int) -> ShardingError {
        guard code == ENOSPC || code == EDQUOT else {
            return ShardingError(.system, place: path, expected: "to write it", got: String(cString: strerror(code)))
        }
        return DiskSpace.lacking(
            path: path, neededBytes: byteCount + remaining, freeBytes: DiskSpace.freeBytes(path) ?? 0)
    }
}

// Inside the type, `write` is its own method.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

/// Room on the disk that a path lies on.
package enum DiskSpace {
    /// Bytes that this user may still write; nil where the system does not say.
    package static func freeBytes(_ path: String) -> Int? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (bytes, isOverflow) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return isOverflow ? Int.max : bytes
    }

    static func lacking(path: String, neededBytes: Int, freeBytes: Int) -> ShardingError {
        ShardingError(
            .noSpace, place: path, field: "disk space", expected: "\(neededBytes) bytes free", got: "\(freeBytes)",
            hint: "free some, or name a folder on another disk")
    }
}
