import ModelFiles
import Sharding

/// A whole tensor of the store, mapped; as long as this object lives, no process removes it to make room.
package final class StoreEntry: Sendable {
    package let hash: FileHash
    /// All of it is the tensor.
    package let file: MappedFile
    private let lock: LockedFile

    /// - Parameter lock: Holds at least a shared lock on the file that lies at its path.
    init(_ hash: FileHash, _ lock: LockedFile) throws(WeightTransferError) {
        self.hash = hash
        self.lock = lock
        do {
            file = try MappedFile(path: lock.path, isFollowingLinks: false)
        } catch {
            throw WeightTransferError(.system, error)
        }
    }

    package var byteCount: Int { file.byteCount }
}
