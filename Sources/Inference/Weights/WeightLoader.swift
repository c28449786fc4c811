import Devices
import ModelFiles
import Models

/// Turns tensors into the weights of layers and head, by the model's specification.
struct WeightLoader<Maker: WeightMaker> {
    let maker: Maker
    let hiddenSize: Int

    func attention(_ layer: LayerSpec) throws(InferenceError) -> AttentionWeights {
        let spec = layer.attention
        return AttentionWeights(
            inputNorm: try maker.vector(layer.inputNorm.weight, count: hiddenSize),
            query: try maker.matrix(spec.query), key: try maker.matrix(spec.key), value: try maker.matrix(spec.value),
            output: try maker.matrix(spec.output),
            queryNorm: try spec.queryNorm.map { norm throws(InferenceError) in
                try maker.vector(norm.weight, count: spec.headDim)
            },
            keyNorm: try spec.keyNorm.map { norm throws(InferenceError) in
                try maker.vector(norm.weight, count: spec.headDim)
            })
    }

    func feedForward(_ layer: LayerSpec) throws(InferenceError) -> FeedForwardWeights {
        let norm = try maker.vector(layer.feedForwardNorm.weight, count: hiddenSize)
        switch layer.feedForward {
        case .gated(let spec): return FeedForwardWeights(norm: norm, mechanism: .gated(try maker.gated(spec)))
        case .experts(let spec):
            return FeedForwardWeights(
                norm: norm, mechanism: .experts(router: try maker.matrix(spec.router), try maker.experts(spec)))
        }
    }

    func head(_ head: HeadSpec) throws(InferenceError) -> HeadWeights {
        HeadWeights(norm: try maker.vector(head.norm.weight, count: hiddenSize), output: try maker.matrix(head.output))
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

/// Reads weights, and says in its error that they were.
func readingWeights<Result>(_ work: () throws(ModelFileError) -> Result) throws(InferenceError) -> Result {
    do {
        return try work()
    } catch {
        throw InferenceError(.weights, place: "weights", "", cause: error)
    }
}
