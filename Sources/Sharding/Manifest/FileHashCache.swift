import Foundation
import ModelFiles

/// Hashes of files that were read before, so that an unchanged file is not read again.
///
/// A file counts as unchanged while its device, inode, size and times of change are. Every entry is a small file of
/// its own in the cache folder; a cache that cannot be read or written only costs time.
package struct FileHashCache: Sendable {
    /// Above this many entries the cache starts afresh.
    package static let entriesMax = 4096
    /// A file that changed this recently could change again without its times showing it.
    package static let settledAfterNanoseconds: Int64 = 100_000_000

    private static let chunkBytes = 4 << 20

    private let folder: String?

    /// - Parameter folder: Created when the first hash is remembered; nil remembers nothing.
    package init(folder: String?) { self.folder = folder.map { $0 + "/hashes" } }

    /// In `$XDG_CACHE_HOME/shard`, or `~/.cache/shard`.
    package static func standard(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> FileHashCache { FileHashCache(folder: cacheFolder(environment: environment)) }

    /// `$XDG_CACHE_HOME/shard`, or `~/.cache/shard`; nil where there is neither.
    package static func cacheFolder(environment: [String: String]) -> String? {
        if let folder = environment["XDG_CACHE_HOME"], folder.hasPrefix("/") { return folder + "/shard" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.cache/shard" }
        return nil
    }

    /// The SHA-256 of a mapped file, from memory where it is unchanged.
    ///
    /// - Parameters:
    ///   - isForced: Reads the file even where its hash is known.
    ///   - keepsPages: Whether what is read may stay in the page cache, for whoever reads it next.
    ///   - progress: Called with the bytes of each piece; may throw to stop.
    package func hash(
        of file: MappedFile, isForced: Bool = false, keepsPages: Bool = true,
        progress: (Int) throws(CancellationError) -> Void = { _ throws(CancellationError) in }
    ) throws(CancellationError) -> FileHash {
        if !isForced, let known = recall(file) {
            try progress(file.byteCount)
            return known
        }
        file.advise(.sequential, 0..<file.byteCount)
        var hasher = FileHasher()
        var position = 0
        while position < file.byteCount {
            let end = min(position + Self.chunkBytes, file.byteCount)
            hasher.update(UnsafeRawBufferPointer(rebasing: file.bytes[position..<end]))
            file.advise(.dontNeed, position..<end)
            if !keepsPages { file.dropPages(position..<end) }
            try progress(end - position)
            position = end
        }
        let hash = hasher.finish()
        remember(file, hash)
        return hash
    }

    /// The hash that was remembered for this very state of the file.
    package func recall(_ file: MappedFile) -> FileHash? {
        guard let identity = file.identity, let path = path(identity),
            let data = FileManager.default.contents(atPath: path), data.count <= 512
        else { return nil }
        let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 4, words[0] == "\(identity.byteCount)", words[1] == "\(identity.modifiedNanoseconds)",
            words[2] == "\(identity.changedNanoseconds)"
        else { return nil }
        return FileHash(String(words[3]))
    }

    /// Keeps a hash that was just computed from the file.
    package func remember(_ file: MappedFile, _ hash: FileHash) {
        guard let folder, let identity = file.identity, let path = path(identity) else { return }
        guard Self.isSettled(identity) else { return }
        let manager = FileManager.default
        try? manager.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if let entries = try? manager.contentsOfDirectory(atPath: folder), entries.count >= Self.entriesMax {
            for entry in entries { try? manager.removeItem(atPath: "\(folder)/\(entry)") }
        }
        let line = "\(identity.byteCount) \(identity.modifiedNanoseconds) \(identity.changedNanoseconds) \(hash)\n"
        try? Data(line.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Whether a later change is going to show in the file's times.
    package static func isSettled(_ identity: MappedFile.Identity) -> Bool {
        identity.changedNanoseconds < Int64(Date().timeIntervalSince1970 * 1e9) - settledAfterNanoseconds
    }

    private func path(_ identity: MappedFile.Identity) -> String? {
        folder.map { "\($0)/\(identity.device)-\(identity.inode)" }
    }
}
