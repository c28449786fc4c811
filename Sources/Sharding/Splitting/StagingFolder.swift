import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A folder that is filled under another name and appears whole, or not at all.
///
/// It lies beside its target as `.NAME.partial-PID`. What a killed process left is removed by the next one.
struct StagingFolder: ~Copyable {
    let path: String
    private let target: String
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
        try Self.checkTarget(url.path, named: target, isReplacing: isReplacing)
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        } catch {
            throw ShardingError(
                .system, place: parent, expected: "to create the folder", got: Self.reason(error), cause: nil)
        }
        Self.removeLeftovers(of: name, in: parent)
        let path = "\(parent)/.\(name).partial-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        guard mkdir(path, 0o755) == 0 else {
            throw ShardingError(
                .system, place: parent, expected: "to create a folder in it", got: String(cString: strerror(errno)))
        }
        self.path = path
        self.target = url.path
        self.isReplacing = isReplacing
    }

    deinit {
        if !isPublished { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Gives the folder its name; everything in it must have been synced.
    consuming func publish() throws(ShardingError) {
        try Self.sync(path)
        let old = path.replacingOccurrences(of: ".partial-", with: ".replaced-")
        var isOldMoved = false
        if isReplacing, FileManager.default.fileExists(atPath: target) {
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

    private func failure(_ expected: String) -> ShardingError {
        ShardingError(.system, place: target, expected: expected, got: String(cString: strerror(errno)))
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
    }

    private static func removeLeftovers(of name: String, in parent: String) {
        let prefix = ".\(name).partial-"
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] {
            guard entry.hasPrefix(prefix), let process = entry.dropFirst(prefix.count).split(separator: "-").first,
                let process = pid_t(process), process > 0, kill(process, 0) != 0, errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(atPath: "\(parent)/\(entry)")
        }
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
