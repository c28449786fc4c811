import CLinux
import Foundation
import ModelFiles

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A folder that is filled under another name and appears whole, or not at all.
///
/// It lies beside its target as `.NAME.partial-PID-N` and exchanges names with a folder that it replaces. Where the file
/// system cannot do that, the old folder stands aside as `.NAME.replaced-PID-N` for a moment. What a killed process left
/// of the first kind is removed by the next one, of the second kind put back.
struct StagingFolder: ~Copyable {
    let path: String
    private let target: String
    /// Where a folder that is replaced stands meanwhile.
    private let old: String
    private let isReplacing: Bool
    private var isPublished = false

    /// - Parameter isReplacing: Whether a shard folder that is there already may be replaced; nothing else ever is.
    init(target: String, isReplacing: Bool) throws(ShardingError) {
        let url = URL(fileURLWithPath: target).standardizedFileURL
        let parent = url.deletingLastPathComponent().path
        let name = url.lastPathComponent
        guard !name.isEmpty, name != "/", name != "..", name != "." else {
            throw ShardingError(.request, place: target, expected: "a folder's name", got: "\"\(target)\"")
        }
        Self.clearLeftovers(of: name, in: parent)
        try Self.checkTarget(url.path, named: target, isReplacing: isReplacing)
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        } catch {
            throw ShardingError(
                .system, place: parent, expected: "to create the folder", got: Self.reason(error), cause: nil)
        }
        let mark = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let path = "\(parent)/.\(name).partial-\(mark)"
        guard mkdir(path, 0o755) == 0 else {
            throw ShardingError(
                .system, place: parent, expected: "to create a folder in it", got: String(cString: strerror(errno)))
        }
        self.path = path
        old = "\(parent)/.\(name).replaced-\(mark)"
        self.target = url.path
        self.isReplacing = isReplacing
    }

    deinit {
        if !isPublished { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Gives the folder its name; everything in it must have been synced.
    consuming func publish() throws(ShardingError) {
        try Self.sync(path)
        // Splitting takes long: the folder may have been given other files meanwhile.
        try Self.checkTarget(target, named: target, isReplacing: isReplacing)
        var isOldMoved = false
        if isReplacing, FileManager.default.fileExists(atPath: target) {
            let code = shard_exchange_paths(path, target)
            if code == 0 {
                // What was replaced has the staging folder's name now and goes with it.
                try? Self.sync((target as NSString).deletingLastPathComponent)
                return
            }
            guard [EINVAL, ENOSYS, ENOTSUP].contains(code) else {
                throw failure("to exchange the folders", code)
            }
            guard rename(target, old) == 0 else { throw failure("to move the old folder aside") }
            isOldMoved = true
        }
        // An empty folder of that name is replaced by the rename itself.
        guard rename(path, target) == 0 else {
            let error = failure("to give the folder its name")
            if isOldMoved { rename(old, target) }
            throw error
        }
        isPublished = true
        try? Self.sync((target as NSString).deletingLastPathComponent)
        if isOldMoved { try? FileManager.default.removeItem(atPath: old) }
    }

    private func failure(_ expected: String, _ code: Int32 = errno) -> ShardingError {
        ShardingError(.system, place: target, expected: expected, got: String(cString: strerror(code)))
    }

    private static func checkTarget(_ path: String, named name: String, isReplacing: Bool) throws(ShardingError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw ShardingError(.exists, place: name, expected: "a folder or nothing", got: "a file or link")
        }
        let contents = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? ["?"]
        if contents.isEmpty { return }
        guard contents.contains(ShardManifest.fileName) else {
            throw ShardingError(
                .exists, place: name, expected: "a new folder, or one with shards", got: "a folder with other files",
                hint: "name another folder")
        }
        guard isReplacing else {
            throw ShardingError(
                .exists, place: name, expected: "a new folder", got: "one with shards in it",
                hint: "--force replaces it")
        }
        // A manifest that cannot be read does not say which files are shards, so nothing may go.
        let manifest = try ShardFolder(path: path).manifest
        let ours = Set(
            [ShardManifest.fileName] + manifest.shards.map(\.filename) + (manifest.files ?? []).map(\.filename))
        if let other = contents.sorted().first(where: { !ours.contains($0) }) {
            throw ShardingError(
                .exists, place: name, expected: "only shards and files that its manifest.json names",
                got: other.onOneLine,
                hint: "move it elsewhere, or name another folder")
        }
    }

    private static func clearLeftovers(of name: String, in parent: String) {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] {
            let path = "\(parent)/\(entry)"
            if isLeftover(entry, prefix: ".\(name).partial-") {
                try? FileManager.default.removeItem(atPath: path)
            } else if isLeftover(entry, prefix: ".\(name).replaced-") {
                // Without its successor it is all that there is. Renaming fails where there is a folder with files.
                if rename(path, "\(parent)/\(name)") != 0, errno == ENOTEMPTY || errno == EEXIST {
                    try? FileManager.default.removeItem(atPath: path)
                }
            }
        }
    }

    /// Whether a name is `prefix` and the number of a process that is no more.
    private static func isLeftover(_ entry: String, prefix: String) -> Bool {
        guard entry.hasPrefix(prefix), let process = entry.dropFirst(prefix.count).split(separator: "-").first,
            let process = pid_t(process), process > 0
        else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
    }

    private static func sync(_ path: String) throws(ShardingError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ShardingError(.system, place: path, expected: "to open it", got: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        // Some file systems cannot sync folders; their renames are as safe as they get.
        if fsync(descriptor) != 0, errno != EINVAL, errno != ENOTSUP {
            throw ShardingError(.system, place: path, expected: "to sync it", got: String(cString: strerror(errno)))
        }
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        return underlying.map { String(cString: strerror(Int32($0.code))) } ?? "a failure"
    }
}
