import Foundation
import ModelFiles
import Sharding
import Synchronization
import ZeroMQ

/// SHA-256 of a model's tensors, computed on several threads, and remembered for files that have not changed.
///
/// What is remembered of a file is one small file in the cache folder, `tensor-hashes/DEVICE-INODE`; a folder that cannot
/// be read or written only costs time.
package struct TensorHashes: Sendable {
    /// Above this many files the folder starts afresh.
    private static let filesMax = 256
    private static let fileBytesMax = 64 << 20

    private let folder: String?

    /// - Parameter cacheFolder: nil remembers nothing.
    package init(cacheFolder: String?) { folder = cacheFolder.map { $0 + "/tensor-hashes" } }

    /// Hashes by the names of the tensors. Not on the cooperative pool.
    ///
    /// - Parameters:
    ///   - tensors: those that are wanted; nil for all.
    ///   - progress: called now and then with the bytes done, on any thread; false ends it.
    package func hashes(
        of model: ModelFile, only tensors: Set<String>? = nil, threadCount: Int,
        progress: @escaping @Sendable (Int) -> Bool = { _ in true }
    ) throws(WeightTransferError) -> [String: FileHash] {
        var known: [String: FileHash] = [:]
        for (index, file) in model.files.enumerated() {
            let remembered = recall(file)
            for tensor in model.tensors where tensor.fileIndex == index {
                known[tensor.name] = remembered[Place(tensor)]
            }
        }
        let missing = model.tensors.filter { known[$0.name] == nil && tensors?.contains($0.name) != false }
        let work = HashWork(model, missing.sorted { $0.byteCount > $1.byteCount }, progress: progress)
        let threads = (0..<max(1, min(threadCount, missing.count))).map { _ in
            OwnedThread(name: "shard-hash") { work.run() }
        }
        for thread in threads { thread.join() }
        guard let computed = work.hashes else {
            throw WeightTransferError(.cancelled, place: model.name, expected: "to hash it", got: "a request to stop")
        }
        known.merge(computed) { $1 }
        if !missing.isEmpty {
            for (index, file) in model.files.enumerated() {
                remember(file, model.tensors.filter { $0.fileIndex == index }, known)
            }
        }
        return known
    }

    /// A tensor's bytes in its file.
    private struct Place: Hashable {
        var offset: Int
        var byteCount: Int

        init(_ tensor: TensorInfo) { (offset, byteCount) = (tensor.offset, tensor.byteCount) }

        init?(_ words: [Substring]) {
            guard words.count == 3, let offset = Int(words[0]), let byteCount = Int(words[1]) else { return nil }
            (self.offset, self.byteCount) = (offset, byteCount)
        }
    }

    private func recall(_ file: MappedFile) -> [Place: FileHash] {
        guard let path = path(file), let data = FileManager.default.contents(atPath: path),
            data.count <= Self.fileBytesMax
        else { return [:] }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        guard lines.first.map(String.init) == head(file) else { return [:] }
        var hashes: [Place: FileHash] = [:]
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard let place = Place(words), let hash = FileHash(String(words[2])) else { return [:] }
            hashes[place] = hash
        }
        return hashes
    }

    private func remember(_ file: MappedFile, _ tensors: [TensorInfo], _ hashes: [String: FileHash]) {
        guard let folder, let path = path(file), let head = head(file), let identity = file.identity,
            file.isUnchanged, FileHashCache.isSettled(identity)
        else { return }
        let manager = FileManager.default
        try? manager.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        if let entries = try? manager.contentsOfDirectory(atPath: folder), entries.count >= Self.filesMax {
            for entry in entries { try? manager.removeItem(atPath: "\(folder)/\(entry)") }
        }
        let lines = tensors.compactMap { tensor in
            hashes[tensor.name].map { "\(tensor.offset) \(tensor.byteCount) \($0)" }
        }
        let text = ([head] + lines).joined(separator: "\n") + "\n"
        try? Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private func path(_ file: MappedFile) -> String? {
        guard let folder, let identity = file.identity else { return nil }
        return "\(folder)/\(identity.device)-\(identity.inode)"
    }

    /// What must be the same for the hashes to count.
    private func head(_ file: MappedFile) -> String? {
        file.identity.map { "\($0.byteCount) \($0.modifiedNanoseconds) \($0.changedNanoseconds)" }
    }
}

/// Tensors that threads take one by one.
private final class HashWork: Sendable {
    private let model: ModelFile
    private let tensors: [TensorInfo]
    private let progress: @Sendable (Int) -> Bool
    private let next = Atomic(0)
    private let doneBytes = Atomic(0)
    private let isCancelled = Atomic(false)
    private let found = Mutex([String: FileHash]())

    init(_ model: ModelFile, _ tensors: [TensorInfo], progress: @escaping @Sendable (Int) -> Bool) {
        self.model = model
        self.tensors = tensors
        self.progress = progress
    }

    /// nil when it was cancelled.
    var hashes: [String: FileHash]? {
        isCancelled.load(ordering: .acquiring) ? nil : found.withLock { $0 }
    }

    func run() {
        while !isCancelled.load(ordering: .acquiring) {
            let index = next.add(1, ordering: .relaxed).oldValue
            guard index < tensors.count else { return }
            let tensor = tensors[index]
            let hash = withExtendedLifetime(model) { FileHash(of: model.bytes(of: tensor)) }
            model.advise(.dontNeed, tensor)
            found.withLock { $0[tensor.name] = hash }
            let done = doneBytes.add(tensor.byteCount, ordering: .relaxed).newValue
            if !progress(done) { isCancelled.store(true, ordering: .releasing) }
        }
    }
}
