import CLinux
import Foundation
import Sharding

/// The front of a tensor that is being received, in a file of its own; one writer at a time over all processes.
///
/// The file is as long as what it holds, while room for the whole is set aside from the start. It outlives the process:
/// the next writer goes on where this one stopped, after hashing what is there.
///
/// It belongs to one thread.
final class PartFile {
    let hash: FileHash
    /// Of the whole tensor.
    let byteCount: Int
    let file: LockedFile
    /// From the front; what is beyond was not received.
    private(set) var receivedBytes: Int

    /// - Parameter file: Holds the exclusive lock.
    init(_ hash: FileHash, byteCount: Int, file: LockedFile) throws(WeightTransferError) {
        self.hash = hash
        self.byteCount = byteCount
        self.file = file
        receivedBytes = Int(try file.status().st_size)
        if receivedBytes > byteCount {
            // No front of this tensor.
            guard ftruncate(file.descriptor, 0) == 0 else { throw LockedFile.failure(file.path, "to empty it") }
            receivedBytes = 0
        }
    }

    /// Sets room aside, so that a full disk shows before anything is received; false when there is none.
    func reserve() throws(WeightTransferError) -> Bool {
        guard byteCount > receivedBytes else { return true }
        switch shard_reserve_space(file.descriptor, Int64(byteCount)) {
        case 0: return true
        case ENOSPC, EDQUOT: return false
        case EOPNOTSUPP, ENOSYS, EINVAL:
            // A file system that cannot: ask at least whether there is room now.
            return DiskSpace.freeBytes(file.path).map { $0 >= byteCount - receivedBytes } ?? true
        case let code: throw LockedFile.failure(file.path, "to set \(byteCount) bytes aside", code)
        }
    }

    /// Writes bytes behind those that were received.
    func append(_ bytes: UnsafeRawBufferPointer) throws(WeightTransferError) {
        precondition(bytes.count <= byteCount - receivedBytes, "a tensor's chunks end where it ends")
        let (path, lackingBytes) = (file.path, byteCount - receivedBytes)
        try file.write(bytes, at: receivedBytes) { _ in .diskFull(path, neededBytes: lackingBytes) }
        receivedBytes += bytes.count
    }

    /// Forgets what was received, and starts over.
    func restart() throws(WeightTransferError) {
        guard ftruncate(file.descriptor, 0) == 0 else { throw LockedFile.failure(file.path, "to empty it") }
        receivedBytes = 0
        guard try reserve() else { throw .diskFull(file.path, neededBytes: byteCount) }
    }

    /// Gives back the room that was set aside and not used; what was received stays for the next writer.
    func giveBack() {
        // Where that fails, the room is given back when the file is removed.
        _ = ftruncate(file.descriptor, off_t(receivedBytes))
    }

    /// Removes the file.
    func remove() { unlink(file.path) }
}

extension WeightTransferError {
    static func diskFull(_ path: String, neededBytes: Int) -> WeightTransferError {
        WeightTransferError(
            .diskFull, place: path, field: "disk space", expected: "\(neededBytes) bytes free",
            got: "\(DiskSpace.freeBytes(path) ?? 0)",
            hint: "make room with: shard cache clear, or name a folder on another disk with --cache")
    }
}
