import Devices
import Models

/// All weights of a range of layers on the device at once.
package final class ResidentWeights: WeightResidency {
    /// How far loading is, in units: layers, and one for the head.
    package struct Progress: Sendable, Hashable {
        package var unitsDone: Int
        package var unitCount: Int
    }

    private let first: Int
    private let layers: [(attention: AttentionWeights, feedForward: FeedForwardWeights)]
    private let headWeights: HeadWeights?

    /// Packs the weights onto the device; costs one read of their bytes.
    ///
    /// - Parameter progress: called on this thread after each unit; throwing from it (a cancelled load) ends loading.
    package init(
        model: ModelSpec, layers range: Range<Int>, hasHead: Bool, source: any TensorSource, device: any Device,
        progress: (Progress) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        try model.check(layers: range)
        let loader = WeightLoader(source: source, device: device, hiddenSize: model.hiddenSize)
        var state = Progress(unitsDone: 0, unitCount: range.count + (hasHead ? 1 : 0))
        var loaded: [(attention: AttentionWeights, feedForward: FeedForwardWeights)] = []
        for layer in model.layers[range] {
            loaded.append((try loader.attention(layer), try loader.feedForward(layer)))
            state.unitsDone += 1
            try progress(state)
        }
        headWeights = hasHead ? try loader.head(model.head) : nil
        if hasHead {
            state.unitsDone += 1
            try progress(state)
        }
        first = range.lowerBound
        layers = loaded
    }

    package func attention(ofLayer index: Int) throws(InferenceError) -> AttentionWeights {
        layers[index - first].attention
    }

    package func feedForward(ofLayer index: Int) throws(InferenceError) -> FeedForwardWeights {
        layers[index - first].feedForward
    }

    package func head() throws(InferenceError) -> HeadWeights {
        guard let headWeights else {
            throw InferenceError(.invalidOption, place: "head", "these weights were loaded without the output head")
        }
        return headWeights
    }
}

extension ModelSpec {
    /// Refuses layers that the model does not have.
    func check(layers range: Range<Int>) throws(InferenceError) {
        guard range.lowerBound >= 0, range.upperBound <= layers.count else {
            throw InferenceError(
                .invalidOption, place: "layers", "expected a range in 0..<\(layers.count), got \(range)")
        }
    }
}
