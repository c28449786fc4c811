import Inference
import ModelFiles
import Sharding
import Tensors
import WeightTransfer

/// The tensors of a part, each from where its bytes were found: a file of this machine, or the cache, into which those
/// that were missing come while the first are used already.
final class GatheredTensors: TensorSource {
    /// All tensors by name and form; some with their bytes.
    let model: ModelFile
    private let wanted: [String: WantedBlob]
    private let local: ModelFile?
    /// Tensors of `local` that have the right hash.
    private let localNames: Set<String>
    private let fetch: WeightFetch?

    init(
        _ model: ModelFile, wanted: [String: WantedBlob], local: ModelFile?, localNames: Set<String>,
        fetch: WeightFetch?
    ) {
        self.model = model
        self.wanted = wanted
        self.local = local
        self.localNames = localNames
        self.fetch = fetch
    }

    /// Waits for one that is on its way.
    func tensor(_ name: String) throws -> TensorView? {
        guard let info = model.tensor(name) as TensorInfo? else { return nil }
        if model.holds(info) { return try model.view(name) }
        if let local, localNames.contains(name) { return try local.view(name) }
        guard let blob = wanted[name], let fetch else { return nil }
        let entry = try fetch.wait(for: blob)
        return TensorView(
            type: info.type, rowCount: info.rowCount, columnCount: info.columnCount, bytes: entry.file.bytes)
    }

    func discard(_ bytes: Range<Int>, of name: String) {
        if let local, localNames.contains(name) { return local.discard(bytes, of: name) }
        guard let blob = wanted[name], let entry = fetch?.entry(blob.hash) else { return }
        entry.file.advise(.dontNeed, bytes)
    }
}
