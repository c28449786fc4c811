import Devices
import Models

/// All weights of a range of layers on the device at once.
package final class ResidentWeights: WeightResidency {
    /// How far loading is, in units: layers, and one for the head.
    package struct Progress: Sendable, Hashable {
        package var unitsDone: Int
        package var unitCount: Int
    }

    private let parts: LoadedParts

    /// Packs the weights onto the device; costs one read of their bytes.
    ///
    /// - Parameter progress: called on this thread after each unit; throwing from it (a cancelled load) ends loading.
    package init(
        model: ModelSpec, layers: Range<Int>, hasHead: Bool, source: any TensorSource, device: any Device,
        progress: (Progress) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        parts = try LoadedParts(
            model, layers: layers, hasHead: hasHead, maker: ResidentMaker(source: source, device: device),
            progress: progress)
    }

    /// All of it is here.
    package func begin(needsHead: Bool) {}

    package func attention(ofLayer index: Int) throws(InferenceError) -> AttentionWeights {
        parts.attention(ofLayer: index)
    }

    package func feedForward(ofLayer index: Int) throws(InferenceError) -> FeedForwardWeights {
        parts.feedForward(ofLayer: index)
    }

    package func head() throws(InferenceError) -> HeadWeights { try parts.head() }
}
