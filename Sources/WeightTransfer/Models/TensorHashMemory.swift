import Foundation
import ModelFiles
import Sharding

/// Hashes of runs of files that were read before, one small file for each in `CACHE/tensor-hashes`.
///
/// A file counts as unchanged while its device, inode, size and times of change are; a cache that cannot be read or
/// written only costs time.
struct TensorHashMemory: Sendable {
    /// Above this many entries it starts afresh.
    private static let entriesMax = 512
    private static let entryBytesMax = 64 << 20

    private let folder: String?

    init(folder: String?) { self.folder = folder.map { $0 + "/tensor-hashes" } }

    /// What was remembered of this very state of the file; empty where nothing was.
    func recall(_ file: MappedFile) -> [Range<Int>: FileHash] {
        guard let identity = file.identity, let path = path(identity), let mapped = try? MappedFile(path: path),
            mapped.byteCount <= Self.entryBytesMax, let text = try? mapped.text()
        else { return [:] }
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst().map(String.init) == Self.head(identity) else { return [:] }
        var hashes: [Range<Int>: FileHash] = [:]
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count == 3, let start = Int(words[0]), let count = Int(words[1]), start >= 0, count >= 0,
                start <= file.byteCount, count <= file.byteCount - start, let hash = FileHash(String(words[2]))
            else { return [:] }
            hashes[start..<start + count] = hash
        }
        return hashes
    }

    func remember(_ file: MappedFile, _ hashes: [Range<Int>: FileHash]) {
        guard let folder, let identity = file.identity, let path = path(identity), file.isUnchanged else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        guard identity.changedNanoseconds < now - FileHashCache.settledAfterNanoseconds else { return }
        let manager = FileManager.default
        try? manager.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if let entries = try? manager.contentsOfDirectory(atPath: folder), entries.count >= Self.entriesMax {
            for entry in entries { try? manager.removeItem(atPath: "\(folder)/\(entry)") }
        }
        let lines = hashes.sorted { $0.key.lowerBound < $1.key.lowerBound }.map { range, hash in
            "\(range.lowerBound) \(range.count) \(hash)\n"
        }
        let text = Self.head(identity) + "\n" + lines.joined()
        try? Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private static func head(_ identity: MappedFile.Identity) -> String {
        "\(identity.byteCount) \(identity.modifiedNanoseconds) \(identity.changedNanoseconds)"
    }

    private func path(_ identity: MappedFile.Identity) -> String? {
        folder.map { "\($0)/\(identity.device)-\(identity.inode)" }
    }
}
