import CKernels
import CLinux
import Foundation
import ModelFiles
import Sharding

/// Weights on disk in the layout that a device's kernels read, by the hash of the tensor that each was made of.
///
///     DIR/packed/ab/ab34…     the packed weights of one tensor; a checksum for each of its tiles; a footer
///     DIR/packed/making-…     one that is being made; gone with the process that makes it, or soon after
///
/// Whoever reads one holds a shared lock on it, as in ``TensorStore``.
package final class PackedStore: Sendable {
    /// `DIR/packed`.
    package let folder: String

    /// Opens the store, and makes its folder where there is none.
    package init(folder parent: String) throws(WeightTransferError) {
        folder = parent + "/packed"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WeightTransferError(
                .system, place: folder, expected: "a folder for packed weights", got: "\(error.localizedDescription)")
        }
        try TensorStore.checkFolder(folder)
        TensorStore.raiseDescriptorLimit()
        removeAbandoned()
    }

    /// What the packed weights of a tensor are kept under.
    ///
    /// - Parameter layout: of the device, with its version.
    package static func key(of tensor: FileHash, layout: String) -> FileHash {
        var hasher = FileHasher()
        (Array("\(layout)\n".utf8) + tensor.bytes).withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }

    /// Packed weights that are here and whole; nil where they are not, or are of other sizes.
    package func entry(_ key: FileHash, tileBytes: Int, tileCount: Int) throws(WeightTransferError) -> PackedEntry? {
        guard let lock = try LockedFile(reading: path(key)) else { return nil }
        guard lock.lock(.shared, isWaiting: true), lock.isInPlace else { return nil }
        guard let entry = try PackedEntry(lock), entry.tileBytes == tileBytes, entry.tileCount == tileCount else {
            return nil
        }
        entry.noteUse()
        return entry
    }

    /// Begins the packed weights of a tensor.
    package func begin(tileBytes: Int, tileCount: Int) throws(WeightTransferError) -> PackedWriting {
        let file = try LockedFile(writing: "\(folder)/\(Self.makingPrefix)\(UUID().uuidString)")
        guard file.lock(.exclusive) else { throw LockedFile.failure(file.path, "to lock it") }
        return PackedWriting(file, tileBytes: tileBytes, tileCount: tileCount)
    }

    /// Puts what was made under its name.
    package func finish(_ writing: PackedWriting, as key: FileHash) throws(WeightTransferError) -> PackedEntry {
        try writing.close()
        let target = path(key)
        do {
            try FileManager.default.createDirectory(
                atPath: target.parentPath, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WeightTransferError(
                .system, place: target, expected: "its folder", got: "\(error.localizedDescription)")
        }
        guard rename(writing.file.path, target) == 0 else { throw LockedFile.failure(target, "to name it") }
        guard let lock = try LockedFile(reading: target), lock.lock(.shared) || writing.release(to: lock),
            let entry = try PackedEntry(lock)
        else { throw LockedFile.failure(target, "to read what was just written") }
        return entry
    }

    package func list() -> StoreListing { StoreListing(StoreFile.all(in: folder), byteLimit: .max) }

    /// Removes packed weights that nobody reads.
    ///
    /// - Parameter cutoff: Keeps what was used since then; nil keeps nothing.
    package func clear(unusedSince cutoff: Date? = nil) -> StoreClearing {
        StoreClearing(removing: StoreFile.all(in: folder), unusedSince: cutoff)
    }

    private static let makingPrefix = "making-"

    private func path(_ key: FileHash) -> String {
        let name = key.description
        return "\(folder)/\(name.prefix(2))/\(name)"
    }

    /// What a process left that ended while it made it.
    private func removeAbandoned() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard name.hasPrefix(Self.makingPrefix), let file = try? LockedFile(reading: "\(folder)/\(name)"),
                file.lock(.exclusive)
            else { continue }
            unlink(file.path)
        }
    }
}

/// What stands behind the tiles of a packed file.
struct PackedFooter {
    static let byteCount = 32
    private static let magic: UInt64 = 0x314B_4341_5044_4853  // "SHDPACK1"

    var tileBytes: Int
    var tileCount: Int
    /// Of the tiles' checksums.
    var check: UInt32

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for value in [Self.magic, UInt64(tileBytes), UInt64(tileCount), UInt64(check)] {
            withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
        }
        return bytes
    }

    init(tileBytes: Int, tileCount: Int, check: UInt32) {
        self.tileBytes = tileBytes
        self.tileCount = tileCount
        self.check = check
    }

    /// nil for anything that is no footer of a file of `fileBytes`.
    init?(_ bytes: UnsafeRawBufferPointer, fileBytes: Int) {
        guard bytes.count == Self.byteCount else { return nil }
        let values = (0..<4).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        guard values[0] == Self.magic, let tileBytes = Int(exactly: values[1]), let tileCount = Int(exactly: values[2]),
            tileBytes > 0, tileCount > 0, let check = UInt32(exactly: values[3])
        else { return nil }
        let (tiles, isOverflow) = tileBytes.multipliedReportingOverflow(by: tileCount)
        let (checks, isOverflowToo) = tileCount.multipliedReportingOverflow(by: 4)
        guard !isOverflow, !isOverflowToo, tiles <= fileBytes, checks <= fileBytes,
            tiles + checks + Self.byteCount == fileBytes
        else { return nil }
        self.init(tileBytes: tileBytes, tileCount: tileCount, check: check)
    }
}

/// Packed weights of one tensor, which nobody removes as long as this lives.
package final class PackedEntry: Sendable {
    /// Its first `tileBytes × tileCount` bytes are the tiles; read, not looked at.
    package let file: MappedFile
    package let tileBytes: Int
    /// CRC32C of each tile.
    package let checks: [UInt32]
    private let lock: LockedFile

    package var tileCount: Int { checks.count }

    /// nil for a file that is not whole.
    fileprivate init?(_ lock: LockedFile) throws(WeightTransferError) {
        guard try lock.status().st_size > 0 else { return nil }
        do {
            file = try MappedFile(path: lock.path, isFollowingLinks: false)
        } catch {
            throw WeightTransferError(.system, error)
        }
        self.lock = lock
        let footerStart = file.byteCount - PackedFooter.byteCount
        guard footerStart > 0,
            let footer = Self.read(footerStart..<file.byteCount, of: lock).withUnsafeBytes({ [file] bytes in
                PackedFooter(bytes, fileBytes: file.byteCount)
            })
        else { return nil }
        tileBytes = footer.tileBytes
        let area = Self.read(footer.tileBytes * footer.tileCount..<footerStart, of: lock)
        let (count, check) = (footer.tileCount, footer.check)
        guard area.count == 4 * count, area.withUnsafeBytes({ shard_crc32c(0, $0.baseAddress!, $0.count) }) == check
        else { return nil }
        checks = area.withUnsafeBytes { bytes in
            (0..<count).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
        }
    }

    /// Bytes of the file, of which nothing stays in the page cache; none where they cannot be read.
    private static func read(_ range: Range<Int>, of lock: LockedFile) -> [UInt8] {
        posix_fadvise(lock.descriptor, 0, 0, Int32(POSIX_FADV_RANDOM))
        var bytes = [UInt8](repeating: 0, count: range.count)
        let count = pread(lock.descriptor, &bytes, bytes.count, off_t(range.lowerBound))
        let start = range.lowerBound / 4096 * 4096
        posix_fadvise(
            lock.descriptor, off_t(start), off_t(range.upperBound + 4096 - start), Int32(POSIX_FADV_DONTNEED))
        return count == bytes.count ? bytes : []
    }

    /// Its time of access, and only that, says how long it was not used: others who read it look at the one of its bytes.
    fileprivate func noteUse() { shard_note_access(lock.descriptor) }
}

/// Packed weights that are being written; belongs to one thread.
package final class PackedWriting {
    let file: LockedFile
    private let tileBytes: Int
    private let tileCount: Int
    private var checks: [UInt32] = []
    private var isFinished = false

    fileprivate init(_ file: LockedFile, tileBytes: Int, tileCount: Int) {
        self.file = file
        self.tileBytes = tileBytes
        self.tileCount = tileCount
    }

    deinit {
        if !isFinished { unlink(file.path) }
    }

    private var position: Int { checks.count * tileBytes }

    /// Writes whole tiles behind those that are there, and leaves none of them in the page cache.
    package func append(_ tiles: UnsafeRawBufferPointer) throws(WeightTransferError) {
        guard let base = tiles.baseAddress else { return }
        precondition(tiles.count % tileBytes == 0 && position + tiles.count <= tileBytes * tileCount, "tiles are whole")
        let start = position
        try write(tiles, at: start)
        for tile in 0..<tiles.count / tileBytes { checks.append(shard_crc32c(0, base + tile * tileBytes, tileBytes)) }
        fdatasync(file.descriptor)
        posix_fadvise(file.descriptor, off_t(start), off_t(tiles.count), Int32(POSIX_FADV_DONTNEED))
    }

    /// Writes what stands behind the tiles, and brings all of it to the disk.
    fileprivate func close() throws(WeightTransferError) {
        precondition(checks.count == tileCount, "all tiles were written")
        var end: [UInt8] = []
        for check in checks { withUnsafeBytes(of: check.littleEndian) { end += Array($0) } }
        let check = end.withUnsafeBytes { shard_crc32c(0, $0.baseAddress!, $0.count) }
        end += PackedFooter(tileBytes: tileBytes, tileCount: tileCount, check: check).bytes
        let bytes = end
        let start = position
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(WeightTransferError) in try write(bytes, at: start) }
        }
        try result.get()
        guard fsync(file.descriptor) == 0 else { throw LockedFile.failure(file.path, "to bring it to the disk") }
        isFinished = true
    }

    /// Gives the exclusive lock up for another handle's shared one.
    fileprivate func release(to other: LockedFile) -> Bool {
        file.unlock()
        return other.lock(.shared, isWaiting: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(WeightTransferError) {
        let (path, lackingBytes) = (file.path, tileBytes * tileCount - offset)
        try file.write(bytes, at: offset) { written in
            WeightTransferError(
                .diskFull, place: path, field: "disk space", expected: "\(lackingBytes - written) bytes free",
                got: "\(DiskSpace.freeBytes(path) ?? 0)",
                hint: "make room with: shard cache clear, or name a folder on another disk with --packed-cache")
        }
    }
}
