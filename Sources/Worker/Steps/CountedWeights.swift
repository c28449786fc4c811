import Inference

/// Weights that count the layers as a runner asks for them: so a long step shows its progress.
final class CountedWeights: WeightResidency {
    private let weights: any WeightResidency
    private let counters: StepCounters

    init(_ weights: any WeightResidency, counters: StepCounters) {
        self.weights = weights
        self.counters = counters
    }

    func begin(needsHead: Bool) { weights.begin(needsHead: needsHead) }

    func attention(ofLayer index: Int) throws(InferenceError) -> AttentionWeights {
        try weights.attention(ofLayer: index)
    }

    /// A layer's last operations.
    func feedForward(ofLayer index: Int) throws(InferenceError) -> FeedForwardWeights {
        counters.layersCompleted.add(1, ordering: .relaxed)
        return try weights.feedForward(ofLayer: index)
    }

    func head() throws(InferenceError) -> HeadWeights {
        counters.layersCompleted.add(1, ordering: .relaxed)
        return try weights.head()
    }
}
