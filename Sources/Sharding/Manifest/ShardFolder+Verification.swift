import ModelFiles

/// One file of a shard folder that is not what its manifest says.
package struct BadShardFile: Sendable {
    /// Bare.
    package let filename: String
    package let error: ShardingError
}

extension ShardFolder {
    /// Bytes that ``verify(progress:)`` reads.
    package var byteCount: Int {
        manifest.shards.reduce(0) { $0 &+ $1.fileSizeBytes }
            &+ (manifest.files ?? []).reduce(0) { $0 &+ $1.fileSizeBytes }
    }

    /// Compares sizes and every hash, those of files and those of tensors; reads everything.
    ///
    /// - Parameter progress: Called with the bytes of each piece that was read; may throw to stop.
    /// - Returns: Each file that differs; empty when all is well.
    package func verify(
        cache: FileHashCache = FileHashCache(folder: nil),
        progress: (Int) throws(CancellationError) -> Void = { _ throws(CancellationError) in }
    ) throws(CancellationError) -> [BadShardFile] {
        var bad: [BadShardFile] = []
        for shard in manifest.shards {
            do {
                let file = try openFile(shard.filename, byteCount: shard.fileSizeBytes)
                let hash = try cache.hash(of: file, isForced: true, progress: progress)
                if let error = difference(shard.filename, nil, expected: shard.sha256, got: hash) {
                    bad.append(BadShardFile(filename: shard.filename, error: error))
                } else if let error = firstBadTensor(shard, file) {
                    bad.append(BadShardFile(filename: shard.filename, error: error))
                }
            } catch let error as ShardingError {
                bad.append(BadShardFile(filename: shard.filename, error: error))
            } catch {
                throw CancellationError()
            }
        }
        for companion in manifest.files ?? [] {
            do {
                let file = try openFile(companion.filename, byteCount: companion.fileSizeBytes)
                let hash = try cache.hash(of: file, isForced: true, progress: progress)
                if let error = difference(companion.filename, nil, expected: companion.sha256, got: hash) {
                    bad.append(BadShardFile(filename: companion.filename, error: error))
                }
            } catch let error as ShardingError {
                bad.append(BadShardFile(filename: companion.filename, error: error))
            } catch {
                throw CancellationError()
            }
        }
        return bad
    }

    /// Compares the hashes of some shards' files and of the files beside them, reading only those that changed since
    /// they were last found right.
    ///
    /// - Parameters:
    ///   - shards: Which; nil compares all.
    ///   - isForced: Reads them all.
    ///   - keepsPages: Whether what is read may stay in the page cache.
    ///   - isCancelled: Whether to stop, asked now and then.
    package func verifyFiles(
        shards: [Int]? = nil, cache: FileHashCache, isForced: Bool = false, keepsPages: Bool = true,
        isCancelled: () -> Bool = { false }
    ) throws(ShardingError) {
        func verify(_ name: String, _ byteCount: Int, _ sha256: String) throws(ShardingError) {
            let file = try openFile(name, byteCount: byteCount)
            let hash: FileHash
            do {
                hash = try cache.hash(of: file, isForced: isForced, keepsPages: keepsPages) {
                    _ throws(CancellationError) in
                    if isCancelled() { throw CancellationError() }
                }
            } catch {
                throw ShardingError(.cancelled, place: file.path, expected: "to finish", got: "a request to stop")
            }
            if let error = difference(name, nil, expected: sha256, got: hash) { throw error }
        }
        for index in shards ?? Array(manifest.shards.indices) where manifest.shards.indices.contains(index) {
            let shard = manifest.shards[index]
            try verify(shard.filename, shard.fileSizeBytes, shard.sha256)
        }
        for companion in manifest.files ?? [] {
            try verify(companion.filename, companion.fileSizeBytes, companion.sha256)
        }
    }

    private func openFile(_ name: String, byteCount: Int) throws(ShardingError) -> MappedFile {
        let path = try filePath(name)
        let file: MappedFile
        do { file = try MappedFile(path: path) } catch { throw ShardingError(error) }
        guard file.byteCount == byteCount else {
            throw ShardingError(
                .mismatch, place: path, expected: "\(byteCount) bytes", got: "\(file.byteCount)",
                hint: "split the model again, or copy the file again")
        }
        return file
    }

    private func firstBadTensor(_ shard: ShardManifest.Shard, _ file: MappedFile) -> ShardingError? {
        for tensor in shard.tensors {
            let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[tensor.offset..<tensor.offset + tensor.bytes])
            let hash = withExtendedLifetime(file) { FileHash(of: bytes) }
            if let error = difference(shard.filename, tensor.name, expected: tensor.sha256, got: hash) { return error }
        }
        return nil
    }

    private func difference(_ name: String, _ tensor: String?, expected: String, got: FileHash) -> ShardingError? {
        guard got.description != expected else { return nil }
        return ShardingError(
            .mismatch, place: "\(path)/\(name)", field: tensor, expected: "SHA-256 \(expected)", got: got.description,
            hint: "split the model again, or copy the file again")
    }
}
