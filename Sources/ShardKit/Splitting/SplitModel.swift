import Foundation
import Sharding

/// Deals a model's layers into shard files with a `manifest.json`, in a folder that appears whole or not at all.
///
/// Each shard of a GGUF model is itself a valid GGUF file; of a Hugging Face directory, a safetensors file. Layers are
/// dealt evenly. A model of fewer layers than `count` gets as many shards as it has layers: see the manifest.
/// Cancelling the task stops it and leaves nothing behind.
///
/// - Parameters:
///   - source: a GGUF file (the first, of several), a Hugging Face directory, or a folder of shards.
///   - count: at least 1.
///   - folder: made new; must not exist, or be empty.
///   - isReplacing: whether a folder of shards that is there already is replaced.
///   - progress: called with the fraction that is done, on a thread of its own.
/// - Returns: what was written.
@discardableResult
public func splitModel(
    at source: URL, shards count: Int, into folder: URL, isReplacing: Bool = false,
    progress: @escaping @Sendable (Double) -> Void = { _ in }
) async throws(ShardKitError) -> ModelManifest {
    try await OwnThread.run { (cancellation) throws(ShardKitError) in
        do {
            let manifest = try ModelSplitter(source: source.path).split(
                shards: count, into: folder.path, isReplacing: isReplacing,
                progress: { (state) throws(CancellationError) in
                    if cancellation.isCancelled { throw CancellationError() }
                    progress(state.fraction)
                })
            return ModelManifest(manifest)
        } catch {
            throw ShardKitError(error)
        }
    }
}

extension ModelSplitter.Progress {
    /// Of the whole: reading the source is the first half, writing the second.
    fileprivate var fraction: Double {
        let part = totalBytes > 0 ? Double(doneBytes) / Double(totalBytes) : 1
        return phase == .reading ? part / 2 : 0.5 + part / 2
    }
}
