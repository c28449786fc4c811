import CLinux
import Foundation
import ModelFiles
import Sharding
import Synchronization

/// Tensors on disk by the SHA-256 of their bytes, shared by all processes of a user.
///
///     CACHE/tensors/ab/ab34…            a whole tensor; read-only once the disk has it
///     CACHE/tensors/ab/ab34….part       the front of one that is being received
///
/// Whoever uses a tensor holds a shared lock on its file, whoever writes or removes one an exclusive lock. A tensor
/// appears under its name only after its hash was compared. Those used least recently make room for new ones.
package final class TensorStore: Sendable {
    /// The default limit is never above this.
    package static let byteLimitMax = 1 << 40
    /// Descriptors that a process may have open: one for each tensor in use.
    private static let descriptorsWanted: rlim_t = 65_536

    /// What a part of the cache folder is: `CACHE/tensors`.
    package let folder: String
    /// Bytes that all tensors together may take.
    package let byteLimit: Int
    let usage: Mutex<Usage>
    let settling = Settling()

    /// Opens the store, and makes its folder where there is none.
    ///
    /// - Parameters:
    ///   - cacheFolder: The folder that holds `tensors`.
    ///   - byteLimit: nil takes half of what the disk has free and the store takes now together, at most 1 TiB.
    package init(cacheFolder: String, byteLimit: Int? = nil) throws(WeightTransferError) {
        folder = cacheFolder + "/tensors"
        try Self.makeFolder(folder)
        try Self.checkFolder(folder)
        Self.raiseDescriptorLimit()
        let usedBytes = Self.usedBytes(of: StoreFile.all(in: folder))
        let freeBytes = DiskSpace.freeBytes(folder) ?? 0
        let (available, isOverflow) = freeBytes.addingReportingOverflow(usedBytes)
        self.byteLimit = byteLimit ?? min((isOverflow ? Int.max : available) / 2, Self.byteLimitMax)
        usage = Mutex(Usage(bytes: usedBytes, scanned: .now))
    }

    /// Maps a tensor that the store has; nil when it has none of this hash and size.
    ///
    /// A tensor that no process had brought to the disk before it ended is hashed first.
    package func entry(_ hash: FileHash, byteCount: Int) throws(WeightTransferError) -> StoreEntry? {
        guard let file = try LockedFile(reading: path(hash)) else { return nil }
        if try Self.isSettled(file) {
            guard file.lock(.shared, isWaiting: true) else { throw LockedFile.failure(file.path, "to lock it") }
        } else if file.lock(.exclusive) {
            // Nobody vouches for it any more.
            guard Self.hashOf(file.path) == hash else {
                if file.isInPlace { unlink(file.path) }
                return nil
            }
            Settling.settle(file)
            _ = file.lock(.shared, isWaiting: true)
        } else {
            // Whoever holds a lock wrote it, or trusts a process that did.
            guard file.lock(.shared, isWaiting: true) else { throw LockedFile.failure(file.path, "to lock it") }
        }
        guard file.isInPlace else { return nil }
        guard Int(try file.status().st_size) == byteCount else {
            if file.lock(.exclusive), file.isInPlace { unlink(file.path) }
            return nil
        }
        // Its time is what says how long it was not used.
        shard_note_access(file.descriptor)
        return try StoreEntry(hash, file)
    }

    /// Maps a tensor of this hash, whatever its size; nil when the store has none.
    package func entry(_ hash: FileHash) throws(WeightTransferError) -> StoreEntry? {
        var status = stat()
        guard stat(path(hash), &status) == 0 else { return nil }
        return try entry(hash, byteCount: Int(status.st_size))
    }

    /// What became of the wish to write a tensor.
    enum Writing {
        case part(PartFile)
        /// It is there already.
        case entry(StoreEntry)
        /// Another process, or another fetch of this one, is writing it.
        case busy(receivedBytes: Int)
    }

    /// Begins or resumes a tensor, with room for all of it.
    ///
    /// - Throws: ``WeightTransferError`` `.cacheFull`, `.diskFull`.
    func write(_ hash: FileHash, byteCount: Int) throws(WeightTransferError) -> Writing {
        if let entry = try entry(hash, byteCount: byteCount) { return .entry(entry) }
        try Self.makeFolder(parent(hash))
        while true {
            let file = try LockedFile(writing: path(hash) + ".part")
            guard file.lock(.exclusive) else { return .busy(receivedBytes: Int(try file.status().st_size)) }
            // Its last writer may have given it its name, or thrown it away, between the two.
            guard file.isInPlace else {
                if let entry = try entry(hash, byteCount: byteCount) { return .entry(entry) }
                continue
            }
            let part = try PartFile(hash, byteCount: byteCount, file: file)
            try makeRoom(for: part)
            return .part(part)
        }
    }

    /// Gives a part its name; its hash was compared.
    func publish(_ part: PartFile) throws(WeightTransferError) -> StoreEntry {
        let target = path(part.hash)
        // Held across the new name, so that it is in use from the start.
        guard part.file.lock(.shared, isWaiting: true) else { throw LockedFile.failure(part.file.path, "to lock it") }
        guard rename(part.file.path, target) == 0 else {
            throw LockedFile.failure(part.file.path, "to give the tensor its name")
        }
        guard let file = try LockedFile(reading: target), file.lock(.shared, isWaiting: true) else {
            throw LockedFile.failure(target, "to open it")
        }
        part.file.unlock()
        settling.add(part.file)
        return try StoreEntry(part.hash, file)
    }

    func path(_ hash: FileHash) -> String { "\(parent(hash))/\(hash)" }

    private func parent(_ hash: FileHash) -> String { "\(folder)/\(hash.description.prefix(2))" }

    /// Reads all of a tensor; nil where it cannot be read.
    static func hashOf(_ path: String) -> FileHash? {
        guard let file = try? MappedFile(path: path, isFollowingLinks: false) else { return nil }
        return try? FileHashCache(folder: nil).hash(of: file)
    }

    /// Whether the disk has the whole of it: only then it is made read-only.
    static func isSettled(_ file: LockedFile) throws(WeightTransferError) -> Bool {
        try file.status().st_mode & S_IWUSR == 0
    }

    private static func makeFolder(_ path: String) throws(WeightTransferError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError).map { Int32($0.code) }
            throw WeightTransferError(
                .system, place: path, expected: "to create the folder",
                got: code.map { String(cString: strerror($0)) } ?? "a failure", hint: "name another with --cache")
        }
    }

    /// What others could put there would be run as weights.
    static func checkFolder(_ path: String) throws(WeightTransferError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw LockedFile.failure(path, "the cache's folder") }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
            throw WeightTransferError(
                .system, place: path, field: "permissions", expected: "a folder that only its owner can write to",
                got: "mode \(String(status.st_mode & 0o7777, radix: 8)) of user \(status.st_uid)",
                hint: "chmod 700 it, or name another with --cache")
        }
    }

    static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        let wanted = min(limit.rlim_max, descriptorsWanted)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
