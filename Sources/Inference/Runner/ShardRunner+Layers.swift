import Devices
import Models

extension ShardRunner {
    /// The forward pass of the step's rows through all layers, in place in the hidden states.
    func runLayers(rowCount: Int) throws(InferenceError) {
        for index in options.layers {
            let layer = model.layers[index]
            let place = index - options.layers.lowerBound
            try attend(
                layer, try weights.attention(ofLayer: index), cache: cache.layers[place], rotary: rotaries[place],
                rowCount: rowCount)
            try feedForward(layer, try weights.feedForward(ofLayer: index), rowCount: rowCount)
        }
    }

    private func attend(
        _ layer: LayerSpec, _ weights: AttentionWeights, cache: any DeviceCache, rotary: (any DeviceRotary)?,
        rowCount: Int
    ) throws(InferenceError) {
        let spec = layer.attention
        let queries = buffers.queries(spec)
        let keysAndValues = buffers.keysAndValues(spec)
        device.normalize(
            buffers.hidden, weight: weights.inputNorm, epsilon: layer.inputNorm.epsilon, rowCount: rowCount,
            into: buffers.normed)
        projections.add(WeightProjection(weights.query, into: queries.first))
        projections.add(WeightProjection(weights.key, into: keysAndValues.first))
        projections.add(WeightProjection(weights.value, into: keysAndValues.second))
        try projections.run(on: device, buffers.normed, rowCount: rowCount)
        if let norm = spec.queryNorm, let weight = weights.queryNorm {
            device.normalizeHeads(
                queries.first, headDim: spec.headDim, weight: weight, epsilon: norm.epsilon, rowCount: rowCount)
        }
        if let norm = spec.keyNorm, let weight = weights.keyNorm {
            device.normalizeHeads(
                keysAndValues.first, headDim: spec.headDim, weight: weight, epsilon: norm.epsilon, rowCount: rowCount)
        }
        if let rotary {
            device.rotate(queries.first, headDim: spec.headDim, by: rotary, at: buffers.placement)
            device.rotate(keysAndValues.first, headDim: spec.headDim, by: rotary, at: buffers.placement)
        }
        device.store(
            keys: keysAndValues.first, values: keysAndValues.second, into: cache, at: buffers.placement)
        device.attend(
            queries: queries.first, over: cache,
            AttentionParameters(headCount: spec.headCount, scale: spec.scale, window: spec.window),
            at: buffers.placement, into: queries.second)
        projections.add(WeightProjection(weights.output, into: buffers.delta))
        try projections.run(on: device, queries.second, rowCount: rowCount)
        device.add(buffers.delta, to: buffers.hidden, rowCount: rowCount)
    }

    private func feedForward(
        _ layer: LayerSpec, _ weights: FeedForwardWeights, rowCount: Int
    ) throws(InferenceError) {
        device.normalize(
            buffers.hidden, weight: weights.norm, epsilon: layer.feedForwardNorm.epsilon, rowCount: rowCount,
            into: buffers.normed)
        switch weights.mechanism {
        case .gated(let weights):
            let widths = buffers.gateAndUp(width: weights.gate.outputCount)
            projections.add(WeightProjection(weights.gate, into: widths.first))
            projections.add(WeightProjection(weights.up, into: widths.second))
            try projections.run(on: device, buffers.normed, rowCount: rowCount)
            device.activate(gate: widths.first, up: widths.second, rowCount: rowCount, into: widths.first)
            projections.add(WeightProjection(weights.down, into: buffers.delta))
            try projections.run(on: device, widths.first, rowCount: rowCount)
        case .experts(let router, let experts):
            guard case .experts(let spec) = layer.feedForward else {
                preconditionFailure("weights are of their layer's mechanism")
            }
            try mixExperts(spec, router, experts, rowCount: rowCount)
        }
        device.add(buffers.delta, to: buffers.hidden, rowCount: rowCount)
    }
}
