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
}

/// The tensors of a layer up to the residual after attention.
package struct AttentionWeights {
    let inputNorm: any DeviceVector
    let query: any DeviceMatrix
    let key: any DeviceMatrix
    let value: any DeviceMatrix
    let output: any DeviceMatrix
    let queryNorm: (any DeviceVector)?
    let keyNorm: (any DeviceVector)?
}

/// The tensors of a layer after attention.
package struct FeedForwardWeights {
    let norm: any DeviceVector
    let mechanism: Mechanism

    enum Mechanism {
        case gated(gate: any DeviceMatrix, up: any DeviceMatrix, down: any DeviceMatrix)
    }
}

/// The output norm and the matrix to logits.
package struct HeadWeights {
    let norm: any DeviceVector
    let output: any DeviceMatrix
}
