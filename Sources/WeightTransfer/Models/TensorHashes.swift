import Foundation
import ModelFiles
import Sharding
import Synchronization
import Threads

/// SHA-256 of each tensor of a model; those of a file that did not change are remembered in the cache folder.
package struct TensorHashes: Sendable {
    /// Told the bytes done and in all, from any thread but one at a time; false ends the work.
    package typealias Progress = @Sendable (_ done: Int, _ total: Int) -> Bool

    private static let pieceBytes = 1 << 20

    private let memory: TensorHashMemory

    /// - Parameter cacheFolder: nil remembers nothing.
    package init(cacheFolder: String?) { memory = TensorHashMemory(folder: cacheFolder) }

    /// The hashes that a manifest states, by name; who serves by them is found out if they are wrong.
    package static func stated(by manifest: ShardManifest) -> [String: FileHash] {
        var hashes: [String: FileHash] = [:]
        for tensor in manifest.shards.flatMap(\.tensors) { hashes[tensor.name] = FileHash(tensor.sha256) }
        return hashes
    }

    /// Those that are remembered, by name; reads no tensor.
    package func known(of model: ModelFile) -> [String: FileHash] {
        let known = model.files.map { memory.recall($0) }
        var hashes: [String: FileHash] = [:]
        for tensor in model.tensors where model.holds(tensor) {
            hashes[tensor.name] = known[tensor.fileIndex][tensor.range]
        }
        return hashes
    }

    /// Keeps hashes that were just computed of a model's tensors, beside those that are remembered.
    package func remember(_ found: [String: FileHash], of model: ModelFile) {
        let all = known(of: model).merging(found) { $1 }
        remember(all, of: model, files: Set(found.keys.compactMap { (model.tensor($0) as TensorInfo?)?.fileIndex }))
    }

    /// Hashes of all tensors whose bytes a model holds, by name.
    ///
    /// - Parameters:
    ///   - names: Those that are wanted; nil for all.
    ///   - threadCount: Each hashes two tensors side by side.
    /// - Throws: ``WeightTransferError`` `.cancelled`.
    package func hashes(
        of model: ModelFile, only names: Set<String>? = nil, threadCount: Int,
        progress: @escaping Progress = { _, _ in true }
    ) throws(WeightTransferError) -> [String: FileHash] {
        var hashes = known(of: model)
        let missing = model.tensors.filter {
            model.holds($0) && hashes[$0.name] == nil && names?.contains($0.name) != false
        }
        guard !missing.isEmpty else { return hashes }
        let work = HashWork(model, missing, progress)
        let threads = (0..<max(1, min(threadCount, missing.count))).map { _ in
            OwnedThread(name: "shard-hashes") { Self.hash(work) }
        }
        for thread in threads { thread.join() }
        guard let found = work.result else {
            throw WeightTransferError(
                .cancelled, place: model.name, field: "hashes", expected: "to finish", got: "a request to stop")
        }
        hashes.merge(found) { first, _ in first }
        remember(hashes, of: model, files: Set(missing.map(\.fileIndex)))
        return hashes
    }

    private func remember(_ hashes: [String: FileHash], of model: ModelFile, files: Set<Int>) {
        for index in files {
            var ranges: [Range<Int>: FileHash] = [:]
            for tensor in model.tensors where tensor.fileIndex == index { ranges[tensor.range] = hashes[tensor.name] }
            memory.remember(model.files[index], ranges)
        }
    }

    /// One thread's share: two tensors at a time, the next one when either ends.
    private static func hash(_ work: HashWork) {
        struct Lane {
            let tensor: TensorInfo
            let bytes: UnsafeRawBufferPointer
            let hasher = BlobHasher()
            var position = 0

            /// Those that were hashed before need not stay mapped.
            mutating func next(of model: ModelFile) -> UnsafeRawBufferPointer {
                let end = min(position + TensorHashes.pieceBytes, bytes.count)
                defer { position = end }
                model.advise(.dontNeed, max(0, position - TensorHashes.pieceBytes)..<position, of: tensor)
                return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
            }
        }
        var lanes: [Lane] = []
        while !work.isCancelled {
            while lanes.count < 2, let tensor = work.next() {
                work.model.advise(.sequential, tensor)
                lanes.append(Lane(tensor: tensor, bytes: work.model.bytes(of: tensor)))
            }
            if lanes.isEmpty { return }
            let first = lanes[0].next(of: work.model)
            if lanes.count == 2 {
                let second = lanes[1].next(of: work.model)
                BlobHasher.update(lanes[0].hasher, first, lanes[1].hasher, second)
                work.done(first.count + second.count)
            } else {
                lanes[0].hasher.update(first)
                work.done(first.count)
            }
            lanes.removeAll { lane in
                guard lane.position == lane.bytes.count else { return false }
                work.found(lane.tensor, lane.hasher.finish())
                return true
            }
        }
    }
}

/// The tensors that threads share out among them.
private final class HashWork: Sendable {
    private struct State: Sendable {
        var next = 0
        var doneBytes = 0
        var hashes: [String: FileHash] = [:]
        var isCancelled = false
    }

    let model: ModelFile
    /// The largest first, so that no thread is left with one at the end.
    private let tensors: [TensorInfo]
    private let totalBytes: Int
    private let progress: TensorHashes.Progress
    private let state = Mutex(State())

    init(_ model: ModelFile, _ tensors: [TensorInfo], _ progress: @escaping TensorHashes.Progress) {
        self.model = model
        self.tensors = tensors.sorted { ($1.byteCount, $0.offset) < ($0.byteCount, $1.offset) }
        totalBytes = tensors.reduce(0) { saturatingSum($0, $1.byteCount) }
        self.progress = progress
    }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var result: [String: FileHash]? { state.withLock { $0.isCancelled ? nil : $0.hashes } }

    func next() -> TensorInfo? {
        state.withLock { state in
            guard state.next < tensors.count else { return nil }
            defer { state.next += 1 }
            return tensors[state.next]
        }
    }

    func done(_ byteCount: Int) {
        state.withLock { state in
            state.doneBytes += byteCount
            if !progress(state.doneBytes, totalBytes) { state.isCancelled = true }
        }
    }

    func found(_ tensor: TensorInfo, _ hash: FileHash) { state.withLock { $0.hashes[tensor.name] = hash } }
}
