import Devices

/// Which weights are on the device, and when: all of them, or a few layers at a time.
///
/// A runner asks for one operation's weights right before it enqueues that operation, in the order of the layers, so
/// asking for the next says that the work on the earlier ones is enqueued. A runner has one forward pass; this seam
/// is where residency differs.
package protocol WeightResidency: AnyObject {
    func attention(ofLayer index: Int) throws(InferenceError) -> AttentionWeights
    func feedForward(ofLayer index: Int) throws(InferenceError) -> FeedForwardWeights
    func head() throws(InferenceError) -> HeadWeights
    /// A step begins that needs the layers, and the head or not.
    func begin(needsHead: Bool)
}

/// The tensors of a layer up to the residual after attention.
package struct AttentionWeights {
    let inputNorm: any DeviceVector
    let query: WeightMatrix
    let key: WeightMatrix
    let value: WeightMatrix
    let output: WeightMatrix
    let queryNorm: (any DeviceVector)?
    let keyNorm: (any DeviceVector)?
}

/// The tensors of a layer after attention.
package struct FeedForwardWeights {
    let norm: any DeviceVector
    let mechanism: Mechanism

    enum Mechanism {
        case gated(GatedWeights)
        case experts(router: WeightMatrix, any ExpertWeights)
    }
}

struct GatedWeights {
    let gate: WeightMatrix
    let up: WeightMatrix
    let down: WeightMatrix
}

/// The experts of a layer. Which of them a step needs is known when its rows have been routed.
protocol ExpertWeights: AnyObject {
    /// These experts are multiplied with next, in this order: all gates and ups, then all downs.
    func begin(_ groups: [ExpertRouting.Group]) throws(InferenceError)
    /// As it is now: what is here may change with each slice that is read.
    func weights(of expert: Int) -> GatedWeights
}

/// The output norm and the matrix to logits.
package struct HeadWeights {
    let norm: any DeviceVector
    let output: WeightMatrix
}
