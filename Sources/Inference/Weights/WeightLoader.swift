import Devices
import Models

/// Turns tensors of a source into weights on a device, by the model's specification.
struct WeightLoader {
    let source: any TensorSource
    let device: any Device
    let hiddenSize: Int

    func attention(_ layer: LayerSpec) throws(InferenceError) -> AttentionWeights {
        let spec = layer.attention
        return AttentionWeights(
            inputNorm: try vector(layer.inputNorm.weight, count: hiddenSize),
            query: try matrix(spec.query), key: try matrix(spec.key), value: try matrix(spec.value),
            output: try matrix(spec.output),
            queryNorm: try spec.queryNorm.map { norm throws(InferenceError) in
                try vector(norm.weight, count: spec.headDim)
            },
            keyNorm: try spec.keyNorm.map { norm throws(InferenceError) in
                try vector(norm.weight, count: spec.headDim)
            })
    }

    func feedForward(_ layer: LayerSpec) throws(InferenceError) -> FeedForwardWeights {
        let norm = try vector(layer.feedForwardNorm.weight, count: hiddenSize)
        switch layer.feedForward {
        case .gated(let gate, let up, let down):
            return FeedForwardWeights(
                norm: norm, mechanism: .gated(gate: try matrix(gate), up: try matrix(up), down: try matrix(down)))
        }
    }

    func head(_ head: HeadSpec) throws(InferenceError) -> HeadWeights {
        HeadWeights(norm: try vector(head.norm.weight, count: hiddenSize), output: try matrix(head.output))
    }

    private func vector(_ name: String, count: Int) throws(InferenceError) -> any DeviceVector {
        let view = try source.vector(name, count: count)
        return try onDevice(name) { () throws(DeviceError) in try device.makeVector(view) }
    }

    private func matrix(_ spec: LinearSpec) throws(InferenceError) -> any DeviceMatrix {
        let view = try source.tensor(spec.weight, rowCount: spec.outputCount, columnCount: spec.inputCount)
        let bias = try spec.bias.map { name throws(InferenceError) in
            try source.vector(name, count: spec.outputCount)
        }
        return try onDevice(spec.weight) { () throws(DeviceError) in
            try device.makeMatrix(view, bias: bias) { source.discard($0, of: spec.weight) }
        }
    }
}

/// Runs work of the device and names the place in its error.
func onDevice<Result>(
    _ place: @autoclosure () -> String, _ work: () throws(DeviceError) -> Result
) throws(InferenceError) -> Result {
    do {
        return try work()
    } catch {
        throw InferenceError(.device, place: place(), "", cause: error)
    }
}
