#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A regular file, mapped for reading, for as long as this object lives.
///
/// Its size is the one that the opened descriptor had; a file that is cut while it is mapped is beyond what can be
/// guarded against, as with every program that maps files.
// Safe to share: the memory is read-only and never moves, and every stored property is a constant.
package final class MappedFile: @unchecked Sendable {
    /// What tells whether a file is still the one that was read before, without reading it again.
    package struct Identity: Sendable, Hashable {
        package var device: UInt64
        package var inode: UInt64
        package var byteCount: Int
        package var modifiedNanoseconds: Int64
        package var changedNanoseconds: Int64
    }

    /// What is about to happen to a range of the mapping.
    package enum Advice: Sendable {
        /// Read it ahead.
        case willNeed
        /// Give its pages back; reading them again fetches them from the file.
        case dontNeed
        /// It will be read once, from the front.
        case sequential
    }

    /// The path that it was opened with.
    package let path: String
    /// The last component of the path.
    package let name: String
    /// All bytes; valid while this object lives, which is the caller's duty.
    package let bytes: UnsafeRawBufferPointer
    /// Nil for a file made of bytes in memory.
    package let identity: Identity?

    package var byteCount: Int { bytes.count }

    /// Maps the file at `path`.
    ///
    /// - Parameter isFollowingLinks: false refuses a path whose last component is a symbolic link.
    package init(path: String, isFollowingLinks: Bool = true) throws(ModelFileError) {
        let name = path.lastPathComponent
        // O_NONBLOCK: a FIFO must be refused, not waited for.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (isFollowingLinks ? 0 : O_NOFOLLOW)
        let descriptor = open(path, flags)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw ModelFileError(
                .unreadable, file: path, field: "open", expected: "a readable file", got: reason)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let reason = String(cString: strerror(errno))
            throw ModelFileError(.unreadable, file: name, field: "fstat", expected: "the file's size", got: reason)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ModelFileError(
                .unreadable, file: name, field: "kind", expected: "a regular file", got: Self.kind(of: status.st_mode))
        }
        let byteCount = Int(status.st_size)
        guard byteCount > 0 else {
            throw ModelFileError(
                .truncated, file: name, field: "size", expected: "at least 1 byte", got: "an empty file",
                hint: "was the download finished?")
        }
        guard let base = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            let reason = String(cString: strerror(errno))
            throw ModelFileError(.unreadable, file: name, field: "mmap", expected: "\(byteCount) bytes", got: reason)
        }
        self.path = path
        self.name = name
        bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
        identity = Identity(status)
    }

    /// A file that exists in memory only; a copy of `bytes`.
    package init(bytes source: [UInt8], name: String) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
        copy.copyBytes(from: source)
        path = name
        self.name = name
        bytes = UnsafeRawBufferPointer(copy)
        identity = nil
    }

    deinit {
        if identity == nil {
            bytes.deallocate()
        } else {
            munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
        }
    }

    /// Copies the first bytes into memory of the process's own, at the same place, and unmaps the others, which must not be
    /// looked at any more; then nothing that happens to the file can hurt, and none of its pages stay.
    ///
    /// Nobody else may look at the bytes meanwhile.
    package func keepOnly(_ count: Int) throws(ModelFileError) {
        guard identity != nil, let base = bytes.baseAddress.map(UnsafeMutableRawPointer.init(mutating:)) else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let kept = min((max(0, count) + page - 1) / page * page, (byteCount + page - 1) / page * page)
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, kept), alignment: page)
        defer { copy.deallocate() }
        let copied = min(kept, byteCount)
        copy.copyMemory(from: base, byteCount: copied)
        // Mapped anew over the file's pages: there is no moment at which the addresses are somebody else's.
        let (own, nothing) = (PROT_READ | PROT_WRITE, PROT_NONE)
        for (range, access) in [(0..<kept, own), (kept..<max(kept, byteCount), nothing)] where !range.isEmpty {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
            guard mmap(base + range.lowerBound, range.count, access, flags, -1, 0) != MAP_FAILED else {
                throw ModelFileError(
                    .unreadable, file: name, field: "mmap", expected: "\(kept) bytes of memory",
                    got: String(cString: strerror(errno)))
            }
        }
        base.copyMemory(from: copy, byteCount: copied)
        mprotect(base, kept, PROT_READ)
        dropPages(0..<min(byteCount, kept + Self.readAheadBytesMax))
    }

    /// The kernel reads so much ahead of what is looked at, at most.
    private static let readAheadBytesMax = 16 << 20

    /// Gives pages of the file back that nobody maps, whoever read them; the system may ignore it.
    package func dropPages(_ range: Range<Int>) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), Int32(POSIX_FADV_DONTNEED))
    }

    /// Whether the path still leads to this very file, and nothing was written to it since it was opened.
    package var isUnchanged: Bool {
        guard let identity else { return true }
        var status = stat()
        return stat(path, &status) == 0 && Identity(status) == identity
    }

    /// Tells the kernel what comes; it may ignore that, and so may a file in memory.
    ///
    /// `.dontNeed` covers whole pages inside `range`, the others whole pages around it.
    package func advise(_ advice: Advice, _ range: Range<Int>) {
        guard identity != nil, let base = bytes.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let clamped = range.clamped(to: 0..<byteCount)
        var start = clamped.lowerBound / page * page
        var end = clamped.upperBound
        if case .dontNeed = advice {
            start = (clamped.lowerBound + page - 1) / page * page
            end = end == byteCount ? end : end / page * page
        }
        guard start < end else { return }
        let flag =
            switch advice {
            case .willNeed: MADV_WILLNEED
            case .dontNeed: MADV_DONTNEED
            case .sequential: MADV_SEQUENTIAL
            }
        madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, Int32(flag))
    }

    /// The whole file as text, which must be UTF-8.
    package func text() throws(ModelFileError) -> String {
        guard let text = String(validating: bytes.bindMemory(to: UInt8.self), as: UTF8.self) else {
            throw ModelFileError(.malformed, file: name, field: "text", expected: "UTF-8", got: "other bytes")
        }
        return text
    }

    private static func kind(of mode: mode_t) -> String {
        switch mode & S_IFMT {
        case S_IFDIR: "a directory"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        default: "something else"
        }
    }
}

extension MappedFile.Identity {
    /// Of an open file; nil where the system cannot say.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        #if canImport(Darwin)
            let (modified, changed) = (status.st_mtimespec, status.st_ctimespec)
        #else
            let (modified, changed) = (status.st_mtim, status.st_ctim)
        #endif
        self.init(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(truncatingIfNeeded: status.st_ino),
            byteCount: Int(status.st_size), modifiedNanoseconds: Self.nanoseconds(modified),
            changedNanoseconds: Self.nanoseconds(changed))
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}

extension String {
    /// What follows the last slash that has something behind it.
    package var lastPathComponent: String {
        split(separator: "/").last.map(String.init) ?? self
    }

    /// What stands before that; `.` when nothing does.
    package var parentPath: String {
        var components = split(separator: "/", omittingEmptySubsequences: true)
        if !components.isEmpty { components.removeLast() }
        if hasPrefix("/") { return "/" + components.joined(separator: "/") }
        return components.isEmpty ? "." : components.joined(separator: "/")
    }
}
