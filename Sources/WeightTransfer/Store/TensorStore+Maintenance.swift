import Foundation
import ModelFiles
import Sharding

/// What is in a store, for people and programs.
package struct StoreListing: Sendable {
    package struct Item: Sendable {
        package let hash: FileHash
        /// Of a part, those that were received.
        package let byteCount: Int
        package let lastUse: Date
        package let isInUse: Bool
        package let isPart: Bool
    }

    /// The one used last first.
    package let items: [Item]
    /// What all of it takes of the disk.
    package let usedBytes: Int
    package let byteLimit: Int

    init(_ files: [StoreFile], byteLimit: Int) {
        items = files.map {
            Item(
                hash: $0.hash, byteCount: $0.byteCount, lastUse: $0.lastUse, isInUse: $0.isInUse, isPart: $0.isPart)
        }.sorted { ($1.lastUse, $0.hash.description) < ($0.lastUse, $1.hash.description) }
        usedBytes = TensorStore.usedBytes(of: files)
        self.byteLimit = byteLimit
    }
}

/// What clearing a store did.
package struct StoreClearing: Sendable, Hashable {
    package var removedCount = 0
    package var removedBytes = 0
    /// Those that somebody uses or writes stay.
    package var inUseCount = 0
}

extension StoreClearing {
    package static func += (left: inout StoreClearing, right: StoreClearing) {
        left.removedCount += right.removedCount
        left.removedBytes += right.removedBytes
        left.inUseCount += right.inUseCount
    }

    /// Removes files that nobody uses, and were not used since the cutoff.
    init(removing files: [StoreFile], unusedSince cutoff: Date?) {
        for file in files where cutoff.map({ file.lastUse < $0 }) ?? true {
            if file.removeIfUnused() {
                removedCount += 1
                removedBytes += file.diskBytes
            } else {
                inUseCount += 1
            }
        }
    }
}

/// What a look at every byte of a store found.
package struct StoreVerification: Sendable, Hashable {
    package var goodCount = 0
    package var goodBytes = 0
    /// Removed: their bytes have another hash.
    package var bad: [FileHash] = []
    /// Parts cannot be judged before they are whole.
    package var partCount = 0
}

extension TensorStore {
    /// Hashes of the whole tensors that are here, the ones used last first.
    ///
    /// - Parameter max: of how many.
    package func hashes(max: Int) -> [FileHash] {
        StoreFile.all(in: folder).filter { !$0.isPart }.sorted { $1.lastUse < $0.lastUse }.prefix(max).map(\.hash)
    }

    package func list() -> StoreListing {
        StoreListing(StoreFile.all(in: folder), byteLimit: byteLimit)
    }

    /// Removes tensors and parts that nobody uses.
    ///
    /// - Parameter cutoff: Keeps what was used since then; nil keeps nothing.
    package func clear(unusedSince cutoff: Date? = nil) -> StoreClearing {
        let clearing = StoreClearing(removing: StoreFile.all(in: folder), unusedSince: cutoff)
        usage.withLock { $0.bytes = max(0, $0.bytes - clearing.removedBytes) }
        return clearing
    }

    /// Hashes every tensor again and removes those that are not what their names say, even those in use: whoever maps
    /// one keeps its bytes, and nobody else gets them.
    ///
    /// - Parameter progress: Called with the bytes done and in all; may throw to stop.
    package func verify(
        progress: (_ done: Int, _ total: Int) throws(CancellationError) -> Void = { _, _ throws(CancellationError) in }
    ) throws(CancellationError) -> StoreVerification {
        let files = StoreFile.all(in: folder)
        let whole = files.filter { !$0.isPart }
        let total = whole.reduce(0) { $0 + $1.byteCount }
        var done = 0
        var found = StoreVerification(partCount: files.count - whole.count)
        for item in whole {
            guard let file = try? LockedFile(reading: item.path), file.lock(.shared, isWaiting: true), file.isInPlace
            else { continue }
            let hash = try hash(of: item) { bytes throws(CancellationError) in
                done += bytes
                try progress(done, total)
            }
            if hash == item.hash {
                found.goodCount += 1
                found.goodBytes += item.byteCount
                if (try? Self.isSettled(file)) == false { Settling.settle(file) }
            } else {
                unlink(item.path)
                found.bad.append(item.hash)
            }
        }
        return found
    }

    private func hash(
        of item: StoreFile, progress: (Int) throws(CancellationError) -> Void
    ) throws(CancellationError) -> FileHash? {
        guard let file = try? MappedFile(path: item.path, isFollowingLinks: false) else { return nil }
        return try FileHashCache(folder: nil).hash(of: file, progress: progress)
    }
}
