import Devices
import Inference
import Models
import Sharding

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
    private let reference: ModelReference
    private let stages: [Stage]
    /// Whether the files' bytes are known by their hashes, so that equal names mean equal weights.
    private let isHashed: Bool

    private struct Stage: Hashable {
        var layers: Range<Int>
        var includesHead: Bool
    }

    init(_ order: LoadOrder, model: ModelSpec, device: any Device, weights: [any WeightResidency], weightBytes: Int) {
        self.model = model
        self.device = device
        self.weights = weights
        self.weightBytes = weightBytes
        reference = order.model
        stages = Self.stages(order)
        isHashed = order.model.files.allSatisfy { !$0.sha256.isEmpty }
    }

    /// Whether another epoch's order asks for these very weights.
    ///
    /// Files without a hash count as the same within a worker's life when their names and sizes are: they were read
    /// once, and a file must not change while a cluster runs from it.
    func serves(_ order: LoadOrder) -> Bool { reference == order.model && stages == Self.stages(order) }

    private static func stages(_ order: LoadOrder) -> [Stage] {
        order.stages.map { Stage(layers: $0.layers, includesHead: $0.includesHead) }
    }
}
