import Foundation
import Sharding

extension TensorStore {
    /// What the store takes of the disk, as far as it is known.
    struct Usage: Sendable {
        /// Other processes write too: a look at the folder holds for this long.
        static let fresh = Duration.seconds(2)

        var bytes: Int
        var scanned: ContinuousClock.Instant
    }

    static func usedBytes(of files: [StoreFile]) -> Int { files.reduce(0) { saturatingSum($0, $1.diskBytes) } }

    /// Makes room for what is about to be received, before the first byte of it is; parts of it that are there stay.
    ///
    /// - Throws: ``WeightTransferError`` `.cacheFull` when all that nobody uses could go and there were still no room.
    func makeRoom(for blobs: [(hash: FileHash, byteCount: Int)]) throws(WeightTransferError) {
        let wanted = Dictionary(blobs.map { ($0.hash, $0.byteCount) }, uniquingKeysWith: max)
        let there = StoreFile.all(in: folder).filter { $0.isPart && wanted[$0.hash] != nil }
        var missing = wanted.values.reduce(0, saturatingSum)
        for part in there { missing -= min(part.diskBytes, wanted[part.hash] ?? 0) }
        try makeRoom(byteCount: missing, keeping: Set(there.map(\.path)))
    }

    /// Makes room for a number of bytes that are about to be written.
    ///
    /// - Parameter keeping: Paths of files that are not removed for it.
    private func makeRoom(byteCount: Int, keeping: Set<String> = []) throws(WeightTransferError) {
        let failure = usage.withLock { usage -> WeightTransferError? in
            let now = ContinuousClock.now
            if now < usage.scanned + Usage.fresh, saturatingSum(usage.bytes, byteCount) <= byteLimit { return nil }
            let files = StoreFile.all(in: folder)
            usage = Usage(bytes: Self.usedBytes(of: files), scanned: now)
            let excess = saturatingSum(usage.bytes, byteCount) - byteLimit
            if excess > 0 { usage.bytes -= evict(excess, from: files.filter { !keeping.contains($0.path) }) }
            return saturatingSum(usage.bytes, byteCount) <= byteLimit ? nil : full(byteCount, usage.bytes)
        }
        if let failure { throw failure }
    }

    /// Makes room for the rest of a part, and sets it aside.
    func makeRoom(for part: PartFile) throws(WeightTransferError) {
        // What a part has set aside already counts as used.
        let aside = Int(try part.file.status().st_blocks) * 512
        let missing = max(0, part.byteCount - max(aside, part.receivedBytes))
        try makeRoom(byteCount: missing)
        if try !part.reserve() {
            let files = StoreFile.all(in: folder).filter { $0.path != part.file.path }
            let lacking = max(0, part.byteCount - part.receivedBytes - (DiskSpace.freeBytes(folder) ?? 0))
            let removed = evict(lacking, from: files)
            usage.withLock { $0.bytes -= removed }
            guard removed >= lacking, try part.reserve() else {
                throw .diskFull(part.file.path, neededBytes: part.byteCount - part.receivedBytes)
            }
        }
        usage.withLock { $0.bytes = saturatingSum($0.bytes, missing) }
    }

    /// Removes what was not used for the longest time, until that many bytes are free; returns how many are.
    private func evict(_ byteCount: Int, from files: [StoreFile]) -> Int {
        var removedBytes = 0
        for file in files.sorted(by: { $0.lastUse < $1.lastUse }) {
            if removedBytes >= byteCount { break }
            if file.removeIfUnused() { removedBytes += file.diskBytes }
        }
        return removedBytes
    }

    private func full(_ byteCount: Int, _ usedBytes: Int) -> WeightTransferError {
        WeightTransferError(
            .cacheFull, place: folder, field: "cache", expected: "room for \(byteCount) bytes",
            got: "\(max(0, byteLimit - usedBytes)) of \(byteLimit) allowed, \(usedBytes) in use; the disk has "
                + "\(DiskSpace.freeBytes(folder) ?? 0) free",
            hint: "make room with: shard cache clear, or name another folder with --cache")
    }
}

func saturatingSum(_ first: Int, _ second: Int) -> Int {
    let (sum, isOverflow) = first.addingReportingOverflow(second)
    return isOverflow ? .max : sum
}
