import Devices
import Inference
import ModelFiles
import Models
import Sharding
import WeightTransfer

/// The weights of one worker's stages on their device: what is dear to load and does not change.
///
/// Safe to hand over although not checked: a loader thread makes it and lets go of it before anybody else has it;
/// afterwards only the step thread looks at `device` and `weights`, and the other properties are constant values.
final class LoadedPart: @unchecked Sendable {
    let model: ModelSpec
    let device: any Device
    /// One a stage, in the order's order.
    let weights: [any WeightResidency]
    let weightBytes: Int
    private let order: LoadOrder
    /// The files without a hash, as they were when they were read.
    private let unhashed: [SourceFile]
    /// Whose files are read while the part is in use: no process removes them.
    private let entries: [StoreEntry]
    /// Of weights that are read from disk; nil for those that are all in memory.
    private let streamed: StreamedTensors?
    /// Last, so that the weights are gone when it goes.
    private let presence: WeightHolders.Presence

    /// A file and what tells whether it is still the same.
    struct SourceFile: Sendable {
        var path: String
        var identity: MappedFile.Identity?
    }

    init(
        _ order: LoadOrder, model: ModelSpec, device: any Device, weights: [any WeightResidency], weightBytes: Int,
        unhashed: [SourceFile], entries: [StoreEntry] = [], streamed: StreamedTensors? = nil,
        presence: WeightHolders.Presence
    ) {
        self.model = model
        self.device = device
        self.weights = weights
        self.weightBytes = weightBytes
        self.order = order
        self.unhashed = unhashed
        self.entries = entries
        self.streamed = streamed
        self.presence = presence
    }

    /// Whether another epoch's order asks for these very weights. Files without a hash must be the ones that were read.
    func serves(_ order: LoadOrder) -> Bool {
        self.order.hasSameWeights(as: order) && streamed?.areUnchanged ?? true
            && unhashed.allSatisfy { file in
                guard let identity = file.identity else { return false }
                return (try? MappedFile(path: file.path))?.identity == identity
            }
    }
}
