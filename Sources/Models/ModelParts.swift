import ModelFiles
import Tensors

/// The tensors of a file by the unit that needs them, each in the file's order.
package struct ModelParts: Sendable {
    /// The token embedding.
    package var embedding: [TensorInfo] = []
    /// One entry a layer of the model; empty for layers that the file does not hold.
    package var layers: [[TensorInfo]]
    /// Output norm and output matrix; a tied embedding is here too.
    package var head: [TensorInfo] = []
    /// What every unit needs: factors of rotary frequencies.
    package var shared: [TensorInfo] = []
    /// What no unit needs.
    package var other: [TensorInfo] = []

    package init(of file: ModelFile, as spec: ModelSpec) {
        let naming = TensorNaming(file.format)
        let headNames = Set(spec.headRequirements.map(\.name))
        layers = Array(repeating: [], count: spec.layers.count)
        for tensor in file.tensors {
            if let (index, _) = naming.layer(of: tensor.name), layers.indices.contains(index) {
                layers[index].append(tensor)
                continue
            }
            let isEmbedding = tensor.name == spec.embedding.weight
            let isHead = headNames.contains(tensor.name)
            if isEmbedding { embedding.append(tensor) }
            if isHead { head.append(tensor) }
            if tensor.name == naming.rotaryFactors {
                shared.append(tensor)
            } else if !isEmbedding, !isHead {
                other.append(tensor)
            }
        }
    }

    /// Bytes of a unit's tensors.
    package static func weightBytes(_ tensors: [TensorInfo]) -> Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// The same of matrices alone, by the type of their elements.
    package static func matrixBytes(_ tensors: [TensorInfo]) -> [ElementType: Int] {
        tensors.reduce(into: [:]) { sums, tensor in
            if tensor.rowCount > 1 { sums[tensor.type, default: 0] += tensor.byteCount }
        }
    }
}
