import Models

/// The weights of a range of layers, and of the head where it belongs to them, as a maker made them.
struct LoadedParts {
    private let first: Int
    private let layers: [(attention: AttentionWeights, feedForward: FeedForwardWeights)]
    private let headWeights: HeadWeights?

    init(
        _ model: ModelSpec, layers range: Range<Int>, hasHead: Bool, maker: some WeightMaker,
        progress: (ResidentWeights.Progress) throws(InferenceError) -> Void = { _ in }
    ) throws(InferenceError) {
        try model.check(layers: range)
        let loader = WeightLoader(maker: maker, hiddenSize: model.hiddenSize)
        var state = ResidentWeights.Progress(unitsDone: 0, unitCount: range.count + (hasHead ? 1 : 0))
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

    func attention(ofLayer index: Int) -> AttentionWeights { layers[index - first].attention }
    func feedForward(ofLayer index: Int) -> FeedForwardWeights { layers[index - first].feedForward }

    func head() throws(InferenceError) -> HeadWeights {
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
