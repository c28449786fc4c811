import Foundation
import Sharding

/// A file of the store as a look at its folder finds it.
struct StoreFile: Sendable {
    static let partSuffix = ".part"

    let path: String
    let hash: FileHash
    /// Whether it is the front of a tensor that is being received.
    let isPart: Bool
    let byteCount: Int
    /// What it takes of the disk, room set aside for the rest of a part included.
    let diskBytes: Int
    let lastUse: Date

    /// Every tensor and part in the store's folder; what else lies there is nobody's business here.
    static func all(in folder: String) -> [StoreFile] {
        var files: [StoreFile] = []
        let manager = FileManager.default
        for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? [] where name.utf8.count == 2 {
            for entry in (try? manager.contentsOfDirectory(atPath: "\(folder)/\(name)")) ?? [] {
                guard entry.hasPrefix(name), let file = StoreFile("\(folder)/\(name)/\(entry)", name: entry) else {
                    continue
                }
                files.append(file)
            }
        }
        return files
    }

    private init?(_ path: String, name: String) {
        isPart = name.hasSuffix(Self.partSuffix)
        guard let hash = FileHash(isPart ? String(name.dropLast(Self.partSuffix.count)) : name) else { return nil }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.path = path
        self.hash = hash
        byteCount = Int(status.st_size)
        diskBytes = max(byteCount, Int(status.st_blocks) &* 512)
        // A tensor's time of change, packed weights' time of access.
        lastUse =
            [status.st_mtim, status.st_atim].map { time in
                Date(timeIntervalSince1970: Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000)
            }.max() ?? Date()
    }

    /// Whether somebody uses or writes it; asks by taking the lock for a moment.
    var isInUse: Bool {
        guard let file = try? LockedFile(reading: path) else { return false }
        return !file.lock(.exclusive)
    }

    /// Looks at a lock before it counts as held: a child between fork and exec holds its parent's for a moment.
    private static let looksMax = 5

    /// Removes the file unless somebody uses or writes it, or it has gone already.
    func removeIfUnused() -> Bool {
        guard let file = try? LockedFile(reading: path) else { return false }
        for look in 1...Self.looksMax where !file.lock(.exclusive) {
            guard look < Self.looksMax else { return false }
            usleep(1000)
        }
        return file.isInPlace && unlink(path) == 0
    }
}
